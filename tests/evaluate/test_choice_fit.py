"""The fit of how far networks are trusted: known rules are found again, surfaces are left out, scans are the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stmviewer.evaluate import choice_fit
from stmviewer.evaluate.choice_fit import Comparison, Row, better, compared, fit, left_out
from stmviewer.evaluate.choice_sets import choice_sets, spare, unfamiliar, with_waves
from stmviewer.evaluate.sets import real
from stmviewer.restore.trust import Evidence, share


def rows(none: float = 0.1, slope: float = 0.6, noise: float = 0.0, count: int = 120) -> list[Row]:
    """Scans whose right share is a line of the hidden one; every fifth is familiar and wants 1."""
    rng = np.random.default_rng(5)
    found = []
    for k in range(count):
        kind = ("lines", "grid", "scattered")[k % 3]
        hidden, familiar = float(rng.uniform(0, 1)), float(k % 5 == 0)
        right = 1.0 if familiar else none + slope * hidden + noise * float(rng.standard_normal())
        surface = f"surface {k % 4}"
        found.append(Row(f"set {k % 4}", surface, Evidence(kind, hidden, familiar), right, 0.5))
    return found


def test_a_line_is_found_again() -> None:
    rule = fit(rows())
    for kind in ("lines", "grid", "scattered"):
        assert rule["kinds"][kind]["none"] == pytest.approx(0.1, abs=0.03)
        assert rule["kinds"][kind]["slope"] == pytest.approx(0.6, abs=0.03)
        assert rule["kinds"][kind]["unknown"] == pytest.approx(0.36, abs=0.06)
        assert rule["kinds"][kind]["familiar"] == pytest.approx(0.95, abs=0.02)  # never quite 1


def test_what_was_smoothed_away_is_taken_off_by_itself() -> None:
    waves = [replace(r, evidence=replace(r.evidence, smoothed=0.3), right=r.right - 0.3) for r in rows()]
    clear = fit(rows())["kinds"]["lines"]
    for name in ("none", "slope"):
        assert fit(waves)["kinds"]["lines"][name] == pytest.approx(clear[name], abs=0.02)


def test_familiar_ground_has_no_say_in_what_is_hidden_elsewhere() -> None:
    silicon = [Row("set", "Si(001):H", Evidence("lines", 0.2, 0.0), 1.0, 1.0) for _ in range(50)]
    assert fit(rows() + silicon)["kinds"]["lines"]["slope"] == pytest.approx(0.6, abs=0.03)


def test_surfaces_that_networks_know_from_the_simulator_have_no_say() -> None:
    seen = [Row("simulated au111", "au111", Evidence("lines", 0.2, f), 1.0, 1.0) for f in (0.0, 0.5) for _ in range(50)]
    assert fit(rows() + seen) == fit(rows())


def test_trust_that_is_too_large_counts_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = rows(noise=0.3, count=600)
    careful = share(Evidence("lines", 0.5, 0.0), fit(noisy))
    monkeypatch.setattr(choice_fit, "_WORSE", 1.0)
    even = share(Evidence("lines", 0.5, 0.0), fit(noisy))
    assert even == pytest.approx(0.4, abs=0.06)
    assert even - 0.15 < careful < even - 0.015


def test_little_at_stake_says_little() -> None:
    odd = [Row("set", "surface 9", Evidence("lines", 0.5, 0.0), -0.5, 1e-4) for _ in range(100)]
    assert fit(rows() + odd)["kinds"]["lines"]["slope"] == pytest.approx(0.6, abs=0.05)


def test_gain_is_the_change_of_the_error() -> None:
    rng = np.random.default_rng(6)
    classical, network = rng.normal(0, 1, (2, 4000)) + rng.normal(0, 0.5, 4000)
    apart = network - classical
    right, stake = -(classical @ apart) / (apart @ apart), (apart @ apart) / (classical @ classical)
    row = Row("set", "surface", Evidence("lines", 0.5, 0.0), float(right), float(stake))
    for part in (0.0, 0.3, 1.0):
        mixed = part * network + (1 - part) * classical
        assert row.gain(part) == pytest.approx(np.sqrt(mixed @ mixed / (classical @ classical)) - 1)


def test_what_is_left_out_is_judged_by_the_others() -> None:
    told = left_out(rows())
    assert set(told) == {"lines", "grid", "scattered"}
    for kind in told.values():
        assert kind["hindsight"] <= kind["rule"] <= kind["half"] < 0
        assert kind["worst"][1] >= kind["rule"]
    # a surface that is unlike all others is not foreseen
    strange = [Row("x", "strange", Evidence("lines", 1.0, 0.0), 0.0, 1.0) for _ in range(20)]
    assert left_out(rows() + strange)["lines"]["worst"][0] == "strange"


def test_a_rule_stays_unless_a_new_one_is_better_on_other_surfaces() -> None:
    found = rows()
    right = fit(found)
    wrong = {"kinds": {k: {**line, "none": 0.9, "slope": 0.0} for k, line in right["kinds"].items()}}
    told = compared(found, wrong)
    assert better(told)
    assert all(both["fitted"].lost < both["standing"].lost for both in told.values())
    # more is gained but also more lost: not better
    swapped = {"lines": {"standing": Comparison(-0.01, 0.002), "fitted": Comparison(-0.02, 0.003)}}
    assert not better(swapped)
    # what networks know from the simulator has no part in it
    seen = [Row("simulated au111", "au111", Evidence("lines", 0.2, 0.0), 1.0, 1.0) for _ in range(50)]
    assert compared(found + seen, wrong)["lines"] == told["lines"]


def test_unknown_surfaces_are_always_the_same_and_unlike() -> None:
    for number in range(5):
        kind, scan = unfamiliar(number, 48)
        again = unfamiliar(number, 48)[1].channel().data
        assert np.array_equal(scan.channel().data, again)
        assert not scan.geometry.calibrated
        assert np.isfinite(again).all() and again.std() > 0
        assert kind in ("lattice", "labyrinth", "rough", "blobs")
    assert not np.array_equal(unfamiliar(0, 48)[1].channel().data, unfamiliar(1, 48)[1].channel().data)


def test_sets_hold_every_surface() -> None:
    sets = choice_sets(1)
    assert sum(name.startswith("simulated ") for name in sets) == 9
    assert sum(len(cases) for name, cases in sets.items() if name.startswith("unknown ")) == 10 + 4
    assert all(case.scan.channel().measured.all() for cases in sets.values() for case in cases)


def test_waves_are_always_the_same_and_short_where_gaps_just_carry_them() -> None:
    for number, gap in ((1, 2), (3, 4)):
        image = with_waves(number, 96).channel().data
        assert np.array_equal(image, with_waves(number, 96).channel().data)
        wave = image - unfamiliar(10_000 + number, 96)[1].channel().data
        power = np.abs(np.fft.rfft(wave, axis=0)) ** 2
        period = float(np.average(np.fft.rfftfreq(96), weights=power.sum(axis=1))) * gap
        assert 0.25 < period < 0.5  # periods a gap: the scan's gaps carry it, gaps twice as wide do not
    with_wave, without = with_waves(0, 96).channel().data, unfamiliar(10_000, 96)[1].channel().data
    assert 0.1 < float((with_wave - without).std() / without.std()) < 0.7


def test_without_real_data_there_are_no_real_sets(tmp_path: Path) -> None:
    assert spare(tmp_path) == {}
    assert not any(name.startswith("real ") for name in choice_sets(1, tmp_path))


@pytest.mark.real_data
def test_spare_scans_are_of_files_that_the_benchmark_does_not_read(real_data: Path) -> None:
    sets = choice_sets(1, real_data)
    found = [case.scan for name, cases in sets.items() if name.startswith("real ") for case in cases]
    assert len(found) == 8
    judged = {case.scan.path for cases in real(real_data, 4).values() for case in cases}
    assert not judged & {scan.path for scan in found}
    assert all(min(s.channel().data.shape) >= 60 and s.channel().measured.all() for s in found)
    assert all(s.channel().why_not_restorable() is None for s in found)
    # a third of the points has three times their distance
    fine, coarse = sets["real atomic lattice"][0].scan, sets["real atomic lattice"][2].scan
    assert coarse.geometry.pixel_width == pytest.approx(3 * fine.geometry.pixel_width)
