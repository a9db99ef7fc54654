"""Outside of its training range a model says so; what it does not record is unknown and says nothing."""

from dataclasses import replace

import numpy as np
import pytest

from stmviewer.restore import ModelInfo
from stmviewer.restore.ranges import Facts, facts_of, range_checks
from stmviewer.scan import Geometry, make_mask

INSIDE = Facts(pixel_m=0.1e-9, noise=0.1, contrast=50e-12, period_px=8.0)


def info(**ranges: tuple[float, ...]) -> ModelInfo:
    return ModelInfo("m", "regression", "", "", ("sparse",), True, **ranges)  # type: ignore[arg-type]


ALL = info(pixels_m=(0.05e-9, 0.2e-9), noise=(0.0, 0.2), contrast_m=(20e-12, 90e-12), periods_px=(4.0, 15.0))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pixel_m": 0.4e-9}, "pixels of 0.05 to 0.2 nm; these are 0.4 nm"),
        ({"noise": 0.5}, "noise of 0 to 20 % of the corrugation; here it is 50 %"),
        ({"contrast": 5e-12}, "corrugations of 20 to 90 pm; here it is 5 pm"),
        ({"period_px": 2.5}, "lattices of 4 to 15 pixels a period; here it is 2.5"),
    ],
)
def test_each_range_warns(changes: dict[str, float], words: str) -> None:
    (check,) = range_checks([ALL], Facts(**{**vars(INSIDE), **changes}), advise=True)
    assert words in check.text
    assert "every 4th line" in check.text
    assert check.warns
    assert range_checks([info()], Facts(**{**vars(INSIDE), **changes}), advise=True) == ()


def test_inside_or_unknown_is_silent() -> None:
    assert range_checks([ALL], INSIDE, advise=True) == ()
    assert range_checks([ALL], Facts(None, None, None, None), advise=True) == ()
    assert range_checks([ALL], Facts(0.1e-9, 0.2, 95e-12, 16.0), advise=True) == ()  # ends of a range are not sharp
    assert range_checks([info(noise=(0.1, 0.2))], Facts(None, 0.001, None, None), advise=True) == ()  # clean is good


def test_several_networks_are_told_of_together() -> None:
    """Two lines that say different things of "the model" would leave open which is meant."""
    wider = replace(ALL, name="wide", pixels_m=(0.02e-9, 0.3e-9))
    facts = replace(INSIDE, pixel_m=0.4e-9)
    (both,) = range_checks([ALL, wider], facts, advise=False)
    assert both.text == "The networks were trained on pixels of 0.02 to 0.3 nm; these are 0.4 nm"
    (one,) = range_checks([ALL, wider], replace(INSIDE, pixel_m=0.25e-9), advise=False)
    assert one.text == "m was trained on pixels of 0.05 to 0.2 nm; these are 0.25 nm"


def test_facts_are_those_of_the_scan() -> None:
    _, x = np.mgrid[0:128, 0:128]
    noise = np.random.default_rng(0).normal(0, 1, (128, 128))
    image = 1e-10 * (np.cos(2 * np.pi * x / 16) + 0.1 * noise)
    frame = Geometry(128, 128, 12.8e-9, 12.8e-9)
    facts = facts_of(image, make_mask("lines:4", 128, 128).measured, frame, "m")
    assert facts.pixel_m == pytest.approx(0.1e-9)
    assert facts.contrast == pytest.approx(1e-10, rel=0.1)
    assert facts.noise == pytest.approx(0.1, rel=0.35)
    assert facts.period_px == pytest.approx(16, rel=0.02)
    scattered = facts_of(image, make_mask("grid:4", 128, 128).measured, Geometry.of_pixels(128, 128), "")
    assert (scattered.pixel_m, scattered.noise, scattered.contrast) == (None, None, None)
