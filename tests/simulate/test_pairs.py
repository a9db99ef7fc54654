import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from stmviewer.scan import RequestError
from stmviewer.simulate import PRESETS, simulate_scan, surface_names, to_scan
from stmviewer.simulate.degradations import Unfinished


def make(i, preset="realistic"):
    return simulate_scan("si001h", 48, 64, 0.1e-9, preset, (5, i))


def test_a_sample_depends_on_its_seed_and_index_alone():
    forwards = [make(i) for i in range(4)]
    backwards = [make(i) for i in reversed(range(4))][::-1]
    for first, second in zip(forwards, backwards, strict=True):
        np.testing.assert_array_equal(first.degraded, second.degraded)
        np.testing.assert_array_equal(first.clean, second.clean)
    assert not np.array_equal(forwards[0].clean, forwards[1].clean)


def test_another_preset_degrades_the_same_surface():
    same = 0
    for i in range(12):
        pairs = [make(i, preset) for preset in ("reference", "mild", "severe")]
        assert pairs[0].recipe["surface"] == pairs[1].recipe["surface"] == pairs[2].recipe["surface"]
        # a scan that drifts has seen other places of it
        still = [p.clean for p in pairs if "Drift" not in {d["name"] for d in p.recipe["degradations"]}]
        same += len(still) - 1
        assert all(np.array_equal(still[0], clean) for clean in still)
    assert same >= 6


def test_recipe_is_json_and_names_surface_pixel_and_seed():
    recipe = json.loads(json.dumps(make(3).recipe))
    assert recipe["surface"]["name"] == "si001h"
    assert recipe["pixel_m"] == 0.1e-9
    assert recipe["seed"] == [5, 3]


def test_the_scan_has_both_channels_in_metres_on_its_geometry():
    pair = make(2)
    scan = to_scan(pair)
    np.testing.assert_array_equal(scan.channel("Z", "forward").data, pair.degraded)
    np.testing.assert_array_equal(scan.channel("Z", "backward").data, pair.backward)
    assert sum(scan.line_time_s) == pytest.approx(pair.recipe["line_time_s"])
    np.testing.assert_array_equal(scan.channel("Z pristine").data, pair.clean)
    assert {c.unit for c in scan.channels} == {"m"}
    assert scan.channel().name == "Z"
    assert scan.geometry.shape == (48, 64)
    assert scan.geometry.pixel_width == pytest.approx(0.1e-9)
    assert scan.geometry.square_pixels
    assert scan.bias_v == pair.recipe["surface"]["bias_v"]


def test_names_of_surfaces():
    assert "si001h" in surface_names()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("si111", 32, 32, 0.1e-9, "mild", 0), "'si111' is unknown; there are si001h"),
        (("si001h", 32, 32, 0.1e-9, "gentle", 0), "'gentle' is unknown"),
        (("si001h", 0, 32, 0.1e-9, "mild", 0), "32 x 0 pixels"),
        (("si001h", 32, 32, 5e-9, "mild", 0), "5 nm"),
        (("si001h", 32, 32, float("nan"), "mild", 0), "nan nm"),
        (("si001h", 32, 32, 0.1e-9, "mild", -1), "seed"),
    ],
)
def test_what_cannot_be_simulated_is_refused(arguments, message):
    with pytest.raises(RequestError, match=message):
        simulate_scan(*arguments)


def test_any_number_of_threads_makes_the_same_series():
    """Each sample is seeded by its index: nothing is shared that threads could take from each other."""
    alone = [make(i) for i in range(8)]
    for threads in (2, 5):
        with ThreadPoolExecutor(threads) as pool:
            for one, pair in zip(alone, pool.map(make, range(8)), strict=True):
                np.testing.assert_array_equal(pair.degraded, one.degraded)
                np.testing.assert_array_equal(pair.backward, one.backward)
                assert pair.recipe == one.recipe


def test_training_never_sees_an_unfinished_scan():
    """NaN would spoil every weight: no preset stops a scan, only who asks for it gets that."""
    kinds = {getattr(kind, "kind", kind) for p in PRESETS.values() for _, kind in (*p.before_crop, *p.after_crop)}
    assert Unfinished not in kinds
    assert all(np.isfinite(make(i, "severe").degraded).all() for i in range(6))
    stopped = simulate_scan("si001h", 48, 64, 0.1e-9, "mild", (5, 1), unfinished=1.0)
    whole = make(1, "mild")
    measured = np.isfinite(stopped.degraded)
    assert 0.1 < measured.mean() < 1
    np.testing.assert_array_equal(stopped.degraded[measured], whole.degraded[measured])
    np.testing.assert_array_equal(stopped.clean, whole.clean)


def test_both_ways_of_a_scan_are_one_surface_with_two_noises():
    pair = simulate_scan("si001h", 64, 64, 0.1e-9, "realistic", (6, 0))
    forward, backward = (z - z.mean() for z in (pair.degraded, pair.backward))
    assert np.corrcoef(forward.ravel(), backward.ravel())[0, 1] > 0.8
    assert not np.array_equal(forward, backward)
