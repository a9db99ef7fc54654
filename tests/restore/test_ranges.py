"""Outside of its training range a model says so; of what it does not record it says that nobody can tell."""

from dataclasses import replace

import numpy as np
import pytest

from stmviewer.restore import ModelInfo
from stmviewer.restore.library import model_infos
from stmviewer.restore.ranges import INSIDE as WITHIN
from stmviewer.restore.ranges import Facts, facts_of, listed, range_checks
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


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (INSIDE, "trained on: pixel size, noise, corrugation and lattice period"),
        (Facts(0.1e-9, 0.2, 95e-12, 16.0), "noise, corrugation and lattice period"),  # ends of a range are not sharp
        (replace(INSIDE, noise=0.001), "noise, corrugation and lattice period"),  # a clean scan is a good one
        (replace(INSIDE, noise=None), "corrugation and lattice period (the scan does not tell its noise)"),
    ],
)
def test_inside_is_told_with_what_was_compared(facts: Facts, words: str) -> None:
    (check,) = range_checks([ALL], facts, advise=True)
    assert check.text.startswith(f"{WITHIN} the model was trained on")
    assert check.text.endswith(words)
    assert not check.warns


def test_what_is_not_recorded_cannot_be_told() -> None:
    """A model of the user's from before ranges were recorded is not at home everywhere."""
    (check,) = range_checks([info(noise=(0.0, 0.2), periods_px=(4.0, 15.0))], INSIDE, advise=True)
    assert check.text.startswith("Cannot tell")
    assert "m does not record the pixel size and corrugation of its training" in check.text
    assert "every 4th line" in check.text
    assert not check.warns
    (check,) = range_checks([ALL, replace(info(), name="n"), replace(info(), name="o")], INSIDE, advise=False)
    assert check.text.endswith("n and o do not record the pixel size, noise, corrugation and lattice period of their "
                               "training")  # fmt: skip
    outside, unknown = range_checks([info(pixels_m=(0.3e-9, 0.4e-9))], INSIDE, advise=False)
    assert outside.warns
    assert "these are 0.1 nm" in outside.text
    assert unknown.text.startswith("Cannot tell")


def test_waves_longer_than_the_training_was_looked_at_for_are_no_warning() -> None:
    """The strongest wave of a stepped scan is as long as its terraces."""
    long = replace(INSIDE, period_px=90.0)
    (warned,) = range_checks([ALL], long, advise=False)
    assert warned.warns
    open_ended = replace(ALL, periods_px=(4.0, 64.0))
    (check,) = range_checks([open_ended], long, advise=False)
    assert check.text.startswith(WITHIN)
    (short,) = range_checks([open_ended], replace(INSIDE, period_px=2.5), advise=False)
    assert short.text.endswith("trained on lattices of 4 to any number of pixels a period; here it is 2.5")


def test_a_scan_that_tells_nothing_is_not_within() -> None:
    (check,) = range_checks([ALL], Facts(None, None, None, None), advise=False)
    assert check.text == (
        "Cannot tell whether the scan is like those of the training: the scan does not tell its pixel size, noise, "
        "corrugation and lattice period"
    )
    assert [listed(w) for w in ([], ["a"], ["a", "b"])] == ["", "a", "a and b"]


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


def test_a_fine_lattice_is_not_taken_for_noise() -> None:
    """Second differences of a lattice of three pixels a period are those of the lattice."""
    _, x = np.mgrid[0:128, 0:128]
    frame, everything = Geometry(128, 128, 12.8e-9, 12.8e-9), np.ones((128, 128), dtype=np.bool_)
    fine, coarse = (facts_of(1e-10 * np.cos(2 * np.pi * x / period), everything, frame, "m") for period in (3.2, 16.0))
    assert fine.period_px == pytest.approx(3.2, rel=0.02)
    assert fine.noise is None
    assert coarse.noise is not None
    assert coarse.noise < 0.1


def test_every_shipped_model_warns_of_a_scan_that_is_mostly_noise() -> None:
    rng = np.random.default_rng(1)
    _, x = np.mgrid[0:128, 0:128]
    image = 3e-11 * (np.cos(2 * np.pi * x / 12) + 1.6 * rng.normal(0, 1, (128, 128)))
    facts = facts_of(image, np.ones(image.shape, dtype=np.bool_), Geometry(128, 128, 12.8e-9, 12.8e-9), "m")
    shipped = [i for i in model_infos() if i.source == "shipped"]
    assert len(shipped) > 5
    for model in shipped:
        assert any("noise of 0 to" in c.text and c.warns for c in range_checks([model], facts, advise=False))
