"""Where the panes go: as large as fits, all of one size. No Qt."""

from dataclasses import dataclass
from math import ceil

#: another arrangement must show images this much larger to be worth leaving the single row
_WORTH_IT = 1.1
#: a single image may be that much smaller for the legend to stand beside it
_WORTH_LESS = 0.9


@dataclass(frozen=True)
class Box:
    """A rectangle in screen pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Arrangement:
    """One box for each pane, and one for the legend."""

    panes: tuple[Box, ...]
    legend: Box


def arrange(
    count: int, width: int, height: int, aspect: float, *, title: int, legend: tuple[int, int], gap: int
) -> Arrangement:
    """Places `count` panes of images of `aspect` (width / height) in `width` x `height` screen pixels.

    A pane is its image below a title row of `title` pixels. The legend (at least `legend` = width, height) takes the
    free cells of a grid that has some, else a strip below the panes. Side by side is preferred: rows of an image are
    compared along a row.
    """
    if count == 0:
        return Arrangement((), Box(0, 0, width, height))
    columns_tried = [*range(count, 0, -1), *([2] if count == 1 else [])]  # a single image may have the legend beside it
    options = [_grid(count, columns, width, height, aspect, title, legend, gap) for columns in columns_tried]
    best = options[0]
    for option in options[1:]:
        worth = _WORTH_IT if count > 1 else _WORTH_LESS
        if option[0] > best[0] * worth:
            best = option
    return best[1]


def _grid(
    count: int, columns: int, width: int, height: int, aspect: float, title: int, legend: tuple[int, int], gap: int
) -> tuple[float, Arrangement]:
    rows = ceil(count / columns)
    cell_width = (width - (columns - 1) * gap) // columns
    cell_height = (height - (rows - 1) * gap) // rows
    spare_cell = columns * rows > count and cell_width >= legend[0] and cell_height >= legend[1]
    if not spare_cell:
        cell_height = (height - legend[1] - rows * gap) // rows
    image_height = max(min(cell_width / aspect, cell_height - title), 1.0)
    if not spare_cell:
        # what the images leave goes to the legend
        cell_height = min(cell_height, ceil(image_height) + title)
    boxes = tuple(
        Box((k % columns) * (cell_width + gap), (k // columns) * (cell_height + gap), cell_width, cell_height)
        for k in range(columns * rows)
    )
    if spare_cell:
        free = boxes[count]  # with all that is free beside it
        return image_height, Arrangement(boxes[:count], Box(free.x, free.y, width - free.x, free.height))
    top = rows * (cell_height + gap)
    return image_height, Arrangement(boxes[:count], Box(0, top, width, max(height - top, 0)))
