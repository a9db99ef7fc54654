import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmviewer.gui.panes.arrangement import Box, arrange

LEGEND = (220, 92)


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


@given(
    count=st.integers(1, 4),
    width=st.integers(500, 3000),
    height=st.integers(450, 2000),
    aspect=st.floats(0.25, 4.0),
)
def test_panes_are_equal_inside_and_apart(count: int, width: int, height: int, aspect: float) -> None:
    placed = arrange(count, width, height, aspect, title=26, legend=LEGEND, gap=10)
    assert len(placed.panes) == count
    assert len({(box.width, box.height) for box in placed.panes}) == 1
    everything = [*placed.panes, placed.legend]
    for k, box in enumerate(everything):
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= width
        assert box.y + box.height <= height
        assert not any(overlap(box, other) for other in everything[k + 1 :])


def test_a_wide_screen_has_the_panes_side_by_side() -> None:
    placed = arrange(3, 1600, 900, 1.0, title=26, legend=LEGEND, gap=10)
    assert {box.y for box in placed.panes} == {0}
    # the legend gets what the square images leave
    assert placed.legend.y == placed.panes[0].height + 10
    assert placed.legend.width == 1600


def test_a_squarish_area_uses_two_rows_and_the_free_cell() -> None:
    placed = arrange(3, 800, 760, 1.0, title=26, legend=LEGEND, gap=10)
    assert len({box.y for box in placed.panes}) == 2
    assert placed.legend.x == placed.panes[1].x
    assert placed.legend.y == placed.panes[2].y


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_small_area_still_gives_every_pane_some_room(count: int) -> None:
    placed = arrange(count, 480, 420, 1.0, title=26, legend=LEGEND, gap=10)
    assert all(box.width > 100 and box.height > 60 for box in placed.panes)


def test_a_single_image_on_a_wide_screen_has_the_legend_beside_it() -> None:
    placed = arrange(1, 990, 650, 1.0, title=26, legend=LEGEND, gap=10)
    (pane,) = placed.panes
    assert placed.legend.x > pane.x + pane.width
    assert pane.width > 480
    high = arrange(1, 500, 900, 1.0, title=26, legend=LEGEND, gap=10)
    assert high.legend.y > high.panes[0].height


def test_the_legend_takes_all_that_is_free_in_the_last_row() -> None:
    found = arrange(5, 2280, 1330, 1.0, title=28, legend=(220, 92), gap=10)
    last = found.panes[-1]
    assert last.y > found.panes[0].y == found.panes[1].y  # more than one row
    assert found.legend.x == last.x + last.width + 10 and found.legend.x + found.legend.width == 2280
