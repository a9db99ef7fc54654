"""How far networks are trusted: the right share in closed form, the rule, and what counts as familiar."""

import json
from pathlib import Path

import numpy as np
import pytest

from stmviewer.restore import trust
from stmviewer.restore.trust import Evidence, familiarity, right_share, share, weighed
from stmviewer.scan import Geometry
from stmviewer.simulate import simulate_scan

RNG = np.random.default_rng(3)
RULE = {"kinds": {"lines": {"none": 0.1, "slope": 0.6, "unknown": 0.4, "familiar": 0.5}}}


def test_the_right_share_makes_the_least_error() -> None:
    network, classical = RNG.normal(0, 1, (2, 5000)) + RNG.normal(0, 1, 5000)
    right = right_share(network, classical)
    assert right is not None
    least = np.mean((right * network + (1 - right) * classical) ** 2)
    for other in (right - 0.1, right + 0.1):
        assert np.mean((other * network + (1 - other) * classical) ** 2) > least
    assert right_share(1e-12 * network, 1e-12 * classical) == pytest.approx(right)
    assert right_share(np.zeros(9), classical[:9]) == pytest.approx(1)
    assert right_share(network[:9], np.zeros(9)) == pytest.approx(0)
    assert right_share(network, network) is None


@pytest.mark.parametrize(
    ("hidden", "familiar", "expected"),
    [
        (0.5, 0.0, 0.4),
        (9.0, 0.0, 0.1 + 0.6 * trust.MOST_SHARE),
        (-9.0, 0.0, 0.0),
        (None, 0.0, 0.4),
        (0.5, 1.0, 0.7),
        (None, 0.5, 0.55),
    ],
)
def test_the_rule(hidden: float | None, familiar: float, expected: float) -> None:
    assert share(Evidence("lines", hidden, familiar), RULE) == pytest.approx(expected)


def test_waves_smoothed_away_speak_against_the_network_that_did_it() -> None:
    assert share(Evidence("lines", 1.0, 0.0, smoothed=0.3), RULE) == pytest.approx(0.4)
    assert share(Evidence("lines", 1.0, 0.0, smoothed=0.9), RULE) == 0.0


class TestSmoothed:
    """Errors at hidden lines: `wave` is what the gaps about them cannot carry, `rest` has nothing to do with it."""

    WAVE = np.sin(2 * np.pi * 7 * np.arange(4000) / 4000)
    REST = np.cos(2 * np.pi * 12 * np.arange(4000) / 4000)

    def test_leaving_the_waves_out_where_interpolation_makes_them_worse_counts_fully(self) -> None:
        found = weighed("lines", -self.WAVE, -2 * self.WAVE, self.WAVE, 0.0)
        assert found.hidden == pytest.approx(2)
        assert found.smoothed == pytest.approx(1)

    def test_a_network_that_has_the_waves_is_not_to_blame(self) -> None:
        found = weighed("lines", 0.5 * self.REST, -2 * self.WAVE, self.WAVE, 0.0)
        assert found.hidden is not None and found.hidden > 0.9
        assert found.smoothed == pytest.approx(0, abs=1e-9)

    def test_half_of_the_difference_counts_half(self) -> None:
        found = weighed("grid", -self.WAVE, self.REST - 2 * self.WAVE, self.WAVE, 0.25)
        assert found.smoothed == pytest.approx(0.5)
        assert (found.kind, found.familiar) == ("grid", 0.25)

    @pytest.mark.parametrize("fine", [None, np.zeros(4000)])
    def test_without_such_waves_nothing_is_said_of_them(self, fine: np.ndarray | None) -> None:
        found = weighed("scattered", 0.5 * self.REST, self.REST, fine, 0.0)
        assert found.hidden == pytest.approx(2)
        assert found.smoothed == 0.0


def test_without_a_rule_hidden_pixels_decide_alone() -> None:
    assert share(Evidence("grid", 1.0, 1.0), {}) == share(Evidence("grid", 1.0, 0.0), {}) > 0.5
    assert share(Evidence("grid", 0.0, 0.0), {}) < 0.5


@pytest.mark.parametrize("kind", ["lines", "grid", "scattered"])
def test_the_shipped_rule_follows_the_evidence(kind: str) -> None:
    shares = [share(Evidence(kind, hidden, 0.0)) for hidden in (-0.5, 0.2, 0.6, 1.0)]
    assert shares == sorted(shares)
    assert shares[0] < 0.3 < shares[-1] <= 1
    # scattered pixels tell all there is to know, also of a surface that is recognised
    known = share(Evidence(kind, 0.6, 1.0))
    assert known == shares[2] if kind == "scattered" else known > 0.9


@pytest.mark.parametrize("content", ["", "[]", '{"choice": 3}', '{"kinds": {}}'])
def test_a_damaged_or_missing_rule_is_none(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stmviewer.paths.resources", lambda: tmp_path)
    trust._fitted.cache_clear()
    try:
        if content:
            (tmp_path / "selfcheck.json").write_text(content, encoding="utf-8")
        assert share(Evidence("lines", 1.0, 0.0)) == share(Evidence("lines", 1.0, 0.0), {})
    finally:
        trust._fitted.cache_clear()


def test_what_is_fitted_says_how_it_was_made() -> None:
    from stmviewer import paths

    found = json.loads((paths.resources() / "selfcheck.json").read_text(encoding="utf-8"))
    assert "--self-check" in found["made"]
    assert found["choice"]["compared"]  # on scans that it was not fitted on


class TestFamiliarity:
    def test_dimer_rows_at_their_spacing_are(self) -> None:
        pair = simulate_scan("si001h", 128, 128, 0.12e-9, "reference", 1)
        frame = Geometry(128, 128, 128 * 0.12e-9, 128 * 0.12e-9)
        assert familiarity(pair.clean, frame) > 0.8
        # the same rows 15 % too far apart
        assert familiarity(pair.clean, Geometry(128, 128, 128 * 0.138e-9, 128 * 0.138e-9)) < 0.05
        assert familiarity(pair.clean, Geometry.of_pixels(128, 128)) == 0.0

    def test_faint_rows_in_noise_are_by_their_lattice(self) -> None:
        pair = simulate_scan("si001h", 128, 128, 0.1e-9, "reference", 2)
        noisy = pair.clean + 0.8 * float(pair.clean.std()) * RNG.normal(0, 1, pair.clean.shape)
        assert familiarity(noisy, Geometry(128, 128, 128 * 0.1e-9, 128 * 0.1e-9)) > 0.5

    def test_rows_are_also_where_pixels_are_too_large_for_the_dimers(self) -> None:
        pair = simulate_scan("si001h", 128, 128, 0.2e-9, "reference", 1)
        assert familiarity(pair.clean, Geometry(128, 128, 128 * 0.2e-9, 128 * 0.2e-9)) > 0.5

    def test_other_things_are_not(self) -> None:
        frame = Geometry(128, 128, 128 * 0.12e-9, 128 * 0.12e-9)
        assert familiarity(RNG.normal(0, 1, (128, 128)), frame) < 0.1
        assert familiarity(np.zeros((128, 128)), frame) == 0.0
        pair = simulate_scan("si111-7x7", 128, 128, 0.12e-9, "reference", 1)
        assert familiarity(pair.clean, frame) < 0.1
