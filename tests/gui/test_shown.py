from pathlib import Path

import numpy as np
import pytest

from stmviewer.gui.mask_words import mask_words
from stmviewer.gui.shown import Restored, Shown, levels, pick_channel, preview_mask
from stmviewer.restore import RestoreRequest
from stmviewer.scan import Channel, Geometry, RequestError, make_mask
from stmviewer.scan.lines import place_lines

from .bench import make_scan, restoration_of, surface


def shown_of(data: np.ndarray | None = None, geometry: Geometry | None = None) -> Shown:
    scan = make_scan(data=data, geometry=geometry)
    return Shown.of(scan, scan.channel())


@pytest.mark.parametrize("pattern", ["lines:2", "lines:4", "grid:2", "pixels:0.25", "lines-random:0.25", "spiral:0.2"])
def test_the_preview_is_the_mask_that_will_be_used(pattern: str) -> None:
    mask = preview_mask(shown_of(), RestoreRequest("sparse", mask=pattern, seed=7))
    assert (mask.mask.measured == make_mask(pattern, 64, 64, seed=7).measured).all()
    assert (mask.picture.data == mask.mask.measured).all()
    assert mask.text.startswith(mask_words(pattern).split(",")[0])


def test_what_the_file_lacks_is_never_shown_as_measured() -> None:
    data = surface()
    data[20:30] = np.nan
    mask = preview_mask(shown_of(data), RestoreRequest("sparse", mask="lines:2"))
    assert not mask.mask.measured[20:30].any()
    assert mask.mask.measured[0].all()
    own = preview_mask(shown_of(data), RestoreRequest("sparse", mask="file"))
    assert (own.mask.measured == np.isfinite(data)).all()
    assert own.text == "84.4 % measured"


def test_the_lines_of_the_file_on_square_pixels() -> None:
    geometry = Geometry(64, 16, 20e-9, 20e-9)
    shown = shown_of(surface(16, 64), geometry)
    mask = preview_mask(shown, RestoreRequest("sparse", mask="file"))
    assert (mask.mask.measured == place_lines(geometry).measured()).all()
    assert mask.mask.measured.shape == (64, 64)
    assert mask.picture.frame.height == pytest.approx(20)
    assert mask.text == "16 lines, 25 % measured"


def test_what_a_mask_would_save() -> None:
    mask = preview_mask(shown_of(), RestoreRequest("sparse", mask="lines:4"))
    blank = "\N{NO-BREAK SPACE}"
    assert mask.saving.replace(blank, "_") == "Such a scan would take 29_s instead of 1_min_55_s."


def test_requests_without_a_sensible_mask() -> None:
    with pytest.raises(RequestError, match="no gaps"):
        preview_mask(shown_of(), RestoreRequest("sparse", mask="file"))
    with pytest.raises(RequestError, match="unknown"):
        preview_mask(shown_of(), RestoreRequest("sparse", mask="stars:3"))
    with pytest.raises(RequestError, match="choose"):
        preview_mask(shown_of(), RestoreRequest("sparse"))


def test_offers_are_made_for_scans_measured_in_part_alone() -> None:
    assert shown_of().offer() is None
    sparse = shown_of(surface(16, 64), Geometry(64, 16, 20e-9, 20e-9)).offer()
    assert sparse == "This scan has 16 lines for 64 pixels per line over the same range (4×)."
    data = surface()
    data[:16] = np.nan
    assert shown_of(data).offer() == "25 % of this channel was not measured."
    assert shown_of(np.full((64, 64), np.nan)).offer() is None


def test_why_a_channel_cannot_be_restored() -> None:
    assert "never ran" in (shown_of(np.full((64, 64), np.nan)).obstacle or "")
    assert "same value" in (shown_of(np.full((64, 64), 1e-9)).obstacle or "")
    scan = make_scan()
    made = Channel("Z", "m", surface(), role="restored")
    assert "made by a restoration" in (Shown.of(scan, made).obstacle or "")


def test_heights_are_levelled_and_currents_are_not() -> None:
    scan = make_scan()
    assert levels(scan.channel("Z"))
    assert not levels(scan.channel("Current"))
    current = Shown.of(scan, scan.channel("Current"))
    assert current.levelled_limits == current.raw_limits


def test_browsing_keeps_channel_and_direction() -> None:
    scan = make_scan()
    assert pick_channel(scan, None) is scan.channel("Z", "forward")
    assert pick_channel(scan, Channel("Z", "m", surface(), "backward")) is scan.channel("Z", "backward")
    # a channel that has no backward direction, or is not there
    assert pick_channel(scan, Channel("Current", "A", surface(), "backward")) is scan.channel("Current")
    assert pick_channel(scan, Channel("Phase", "deg", surface())) is scan.channel()


def test_the_difference_is_to_everything_that_is_known() -> None:
    scan = make_scan(Path("scan.sxm"))
    hidden = Restored.of(restoration_of(scan, RestoreRequest("sparse", mask="lines:4")), scan.geometry)
    assert hidden.difference.data == pytest.approx(np.full((64, 64), 1e-12), abs=1e-16)
    request = RestoreRequest("repair", model="flow-sim", steps=4, samples=8)
    restored = Restored.of(restoration_of(scan, request), scan.geometry)
    assert restored.title == "Texture network · simulated, 4 steps, 8 samples"
    assert restored.names == "flow-sim, 4 steps, 8 samples"
    assert restored.deviation is not None
