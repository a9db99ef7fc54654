from dataclasses import replace

import numpy as np
import pytest

from stmviewer.gui.candidates import MOST, Pin, candidates, choose, labels, try_also
from stmviewer.gui.comparing import Comparison
from stmviewer.gui.looks import Looks
from stmviewer.gui.ranges import Display
from stmviewer.gui.shown import Restored, Shown
from stmviewer.restore import RestoreRequest
from stmviewer.scan import Geometry, Scan

from .bench import MODELS, NETWORK, TEXTURE, make_scan, restoration_of, surface

REPAIR = RestoreRequest("repair", model="flow-sim", steps=4)
SPARSE = RestoreRequest("sparse", model="regression-sim", mask="lines:4")


def shown_of(scan: Scan | None = None) -> Shown:
    scan = scan or make_scan()
    return Shown.of(scan, scan.channel())


def restored(request: RestoreRequest = REPAIR) -> Restored:
    scan = make_scan()
    return Restored.of(restoration_of(scan, request), scan.geometry)


def test_results_of_one_name_are_told_apart() -> None:
    seeds = [restored(REPAIR.replaced(seed=k)) for k in (0, 3)]
    assert labels([*seeds, restored(SPARSE)]) == [
        f"{TEXTURE}, 4 steps, seed 0",
        f"{TEXTURE}, 4 steps, seed 3",
        NETWORK,
    ]
    assert labels([restored(SPARSE), restored(SPARSE.replaced(mask="lines:2"))]) == [
        f"{NETWORK}, every 4th line",
        f"{NETWORK}, every 2nd line",
    ]
    assert labels([restored(), restored()]) == [
        f"{TEXTURE}, 4 steps, no. 1",
        f"{TEXTURE}, 4 steps, no. 2",
    ]
    assert labels([restored(SPARSE), restored(RestoreRequest("repair", model="regression-sim"))]) == [
        f"{NETWORK}, sparse",
        f"{NETWORK}, repair",
    ]


def test_what_was_hidden_is_a_candidate_of_its_own() -> None:
    found = candidates(shown_of(), [restored(), restored(SPARSE)])
    assert [c.label for c in found] == [
        "Raw",
        "Measured part",
        f"{TEXTURE}, 4 steps",
        NETWORK,
    ]
    assert np.isnan(found[1].picture.data).mean() == pytest.approx(0.75)
    assert [c.label for c in candidates(shown_of(), [])] == ["Raw"]


def test_what_is_new_is_shown_and_the_oldest_makes_room() -> None:
    results = [restored(REPAIR.replaced(seed=k)) for k in range(5)]
    ticked: list[object] = []
    for k, result in enumerate(results):
        found = candidates(shown_of(), results[: k + 1])
        ticked = choose(found, ticked, [result])
    assert ticked == ["raw", *results[-3:]]
    assert len(ticked) == MOST
    # what has been unticked stays so
    assert choose(found, ["raw"]) == ["raw"]
    # what is gone is not shown
    assert choose(candidates(shown_of(), results[:1]), ticked) == ["raw"]


def test_what_else_could_be_tried() -> None:
    first = restored()
    offers = dict(try_also(MODELS, first.restoration.request, [first]))
    assert list(offers) == [f"{TEXTURE}, seed 1", NETWORK]  # linear repairs nothing
    assert offers[f"{TEXTURE}, seed 1"] == first.restoration.request.replaced(seed=1)
    assert offers[NETWORK].steps is None
    again = restored(REPAIR.replaced(seed=1))
    assert next(iter(try_also(MODELS, again.restoration.request, [first, again])))[0] == f"{TEXTURE}, seed 2"
    sparse = restored(SPARSE)
    offers = dict(try_also(MODELS, sparse.restoration.request, [sparse]))
    assert list(offers) == [
        TEXTURE,
        "Linear interpolation",
    ]  # another seed of one pass is the same
    assert offers["Linear interpolation"].mask == "lines:4"


def test_an_image_that_is_kept_lies_where_it_was_measured() -> None:
    whole = Geometry(64, 64, 20e-9, 20e-9, centre=(0.0, 0.0))
    part = Geometry(50, 50, 5e-9, 5e-9, centre=(2.5e-9, -2.5e-9))  # finer, right of and below the middle
    pin = Pin.of(shown_of(make_scan(data=surface(50, 50), geometry=part)), None)
    here = shown_of(make_scan(geometry=whole))
    assert pin.fits(here)
    picture, plane = pin.placed(whole)
    assert (picture.frame.x, picture.frame.y) == (pytest.approx(10), pytest.approx(10))
    assert picture.frame.width == pytest.approx(5)
    assert plane.at(12.0, 13.0) == pytest.approx(pin.plane.at(2.0, 3.0))
    # one of another place lies at the corner, to be compared by eye
    elsewhere = replace(whole, centre=(1e-6, 0.0))
    assert pin.placed(elsewhere)[0].frame.x == 0
    current = make_scan()
    assert not pin.fits(Shown.of(current, current.channel("Current")))
    assert not pin.fits(shown_of(make_scan(geometry=Geometry.of_pixels(64, 64))))


def test_kept_images_wait_for_the_next_scan() -> None:
    comparison, shown = Comparison(), shown_of()
    for k in range(5):
        scan = make_scan()
        comparison.pin(replace(shown, scan=replace(scan, comment=str(k))), restored())
    assert len(comparison.pins) == 1  # of one name only the last
    looks = Looks(shown, None, None, Display())
    assert [look.title for look in comparison.looks(looks)] == ["Raw", comparison.pins[0].label]
    comparison.forget()
    assert len(comparison.candidates(shown)) == 2
    comparison.unpin(shown)
    assert [look.title for look in comparison.looks(looks)] == ["Raw"]
