import json
import math
from pathlib import Path

import numpy as np
import pytest

from stmviewer import paths
from stmviewer.evaluate import fitting, likeness
from stmviewer.evaluate.matched import degraded, matched_fields
from stmviewer.evaluate.real_images import RealImage, session_of
from stmviewer.scan import Cancelled, Progress
from stmviewer.simulate.degradations import PlaneTilt, Scars, WhiteNoise
from stmviewer.simulate.presets import PRESETS, Preset
from stmviewer.simulate.ranges import Ranged, ranged


def entries(preset):
    return [entry for part in fitting.PARTS for entry in getattr(preset, part)]


def test_the_search_begins_at_the_preset():
    start = PRESETS["realistic"]
    space = fitting.Space.of(start)
    assert len(set(space.slots)) == len(space.slots) > 40
    found = space.preset(np.zeros(len(space.slots)))
    for (chance, kind), (before, known) in zip(entries(found), entries(start), strict=True):
        assert chance == pytest.approx(before, abs=0.03)
        if isinstance(kind, Ranged):
            for (name, low, high), (_, below, above) in zip(kind.ranges, known.ranges, strict=True):
                assert math.log10(low * high) == pytest.approx(math.log10(below * above), abs=0.25), name


def test_nothing_is_certain_or_narrow_however_far_the_search_goes():
    space = fitting.Space.of(PRESETS["realistic"])
    for far in (-50.0, 50.0):
        found = space.preset(np.full(len(space.slots), far))
        assert sum(chance for chance, _ in found.tips) <= 0.96
        for chance, kind in entries(found):
            assert 0.02 < chance < 0.95
            for name, low, high in kind.ranges if isinstance(kind, Ranged) else ():
                assert 2 < high / low < 100, (kind.__name__, name)


def test_what_flattened_images_say_nothing_of_stays():
    space = fitting.Space.of(PRESETS["realistic"])
    found = space.preset(np.random.default_rng(0).normal(0, 2, len(space.slots)))
    kept = [(c, k) for c, k in entries(found) if k in fitting.UNSEEN]
    assert kept == [(c, k) for c, k in entries(PRESETS["realistic"]) if k in fitting.UNSEEN]
    assert len(kept) == 4


@pytest.fixture(scope="module")
def problem():
    """Images with much white noise and nothing else."""
    empty = [RealImage(Path(f"{'abc'[k % 3]}_{k}"), np.full((64, 64), 0.5), 0.05e-9, "abc"[k % 3]) for k in range(8)]
    fields = matched_fields(empty, "si001h", 1, Progress())
    truth = Preset((), after_crop=((0.9, ranged(WhiteNoise, rms_m=(8e-12, 3e-11))),))
    images = degraded(fields, truth, 7, Progress())
    real = [RealImage(e.path, z, e.pixel_m, e.group) for e, z in zip(empty, images, strict=True)]
    return fitting.Problem(real, likeness.measure(images, Progress()), fields, 3)


def test_a_fit_finds_the_noise_that_was_put_in(problem):
    start = Preset((), after_crop=((0.3, ranged(WhiteNoise, rms_m=(1e-12, 6e-12))), (0.7, PlaneTilt)))
    told = []
    fitted = fitting.fit(problem, start, Progress(), generations=4, population=10, tell=told.append)
    assert fitted.distance < 0.7 * fitted.before
    chance, kind = fitted.preset.after_crop[0]
    assert chance > 0.4
    middle = math.sqrt(kind.ranges[0][1] * kind.ranges[0][2])
    assert 5e-12 < middle < 4e-11
    assert fitted.preset.after_crop[1] == (0.7, PlaneTilt)
    assert len(told) == len(fitted.history) == 4
    assert fitted.distance == problem.distance(fitted.preset, Progress())


def test_a_fit_is_the_same_again_and_stops_when_asked_to(problem):
    start = Preset((), after_crop=((0.3, ranged(WhiteNoise, rms_m=(1e-12, 6e-12))), (0.5, Scars)))
    one, two = (fitting.fit(problem, start, Progress(), generations=1, population=3) for _ in range(2))
    assert one == two
    progress = Progress()
    progress._root.stop.set()
    with pytest.raises(Cancelled):
        fitting.fit(problem, start, progress)


def test_numbers_are_rounded_as_one_writes_them():
    found = fitting.rounded(Preset((), after_crop=((0.12345, ranged(WhiteNoise, rms_m=(1.2345e-12, 9.8765e-12))),)))
    assert found.after_crop == ((0.12, ranged(WhiteNoise, rms_m=(1.2e-12, 9.9e-12))),)


FIT = paths.resources() / "fits" / "realistic.json"


def test_the_preset_is_the_one_that_was_fitted():
    fit = json.loads(FIT.read_text(encoding="utf-8"))
    assert fitting.described(PRESETS["realistic"]) == fit["entries"]
    assert fit["distance"] < fit["distance_before"]


@pytest.mark.real_data
def test_the_fit_touched_no_validation_session(real_data):
    held_back = (real_data / "si100h" / "validation_sessions.txt").read_text(encoding="utf-8").split()
    sessions = {session_of(Path(name)) for name in json.loads(FIT.read_text(encoding="utf-8"))["images"]}
    assert len(sessions) > 10
    assert len(held_back) == 3
    assert not sessions & set(held_back)
