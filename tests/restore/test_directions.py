"""Forward against backward: the lag is found, damage of one direction is told, and what cannot be checked, too."""

import numpy as np
import pytest

from stmviewer.restore import Restoration, RestoreRequest
from stmviewer.restore.directions import agreement, best_lag, other_direction
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Channel, Geometry, Progress, Scan

Y, X = np.mgrid[0:64, 0:96].astype(float)
RNG = np.random.default_rng(0)


def surface(lag: float = 0.0) -> np.ndarray:
    image: np.ndarray = np.cos(2 * np.pi * (X - lag) / 23) * np.cos(2 * np.pi * Y / 15) + (X - lag + Y > 90)
    return image


def scan(*channels: Channel) -> Scan:
    return Scan(list(channels), Geometry(96, 64, 96e-10, 64e-10))


@pytest.mark.parametrize("lag", [0.0, 3.0, -5.0, 2.5])
def test_the_lag_is_found(lag: float) -> None:
    assert best_lag(surface(), surface(lag)) == pytest.approx(lag, abs=0.25)


def test_agreement_is_after_registration_and_levelling() -> None:
    tilted = surface(3.0) + 0.05 * X + 7
    found = agreement(surface(), tilted, surface(), surface(3.0) + RNG.normal(0, 0.5, X.shape))
    assert found.repaired < 0.02
    assert found.measured == pytest.approx(0.4, abs=0.05)  # mean of |N(0, 0.5)|


def test_constant_images_do_no_harm() -> None:
    assert agreement(*[np.ones((20, 20))] * 4).repaired == 0


def test_the_other_direction_must_be_whole_and_of_the_same_channel() -> None:
    forward = Channel("Z", "m", 1e-10 * surface())
    backward = Channel("Z", "m", 1e-10 * surface(2), "backward")
    holes = Channel("Z", "m", np.where(X > 50, np.nan, surface()), "backward")
    assert other_direction(scan(forward, backward), forward) is backward
    assert other_direction(scan(forward, backward), backward) is forward
    assert other_direction(scan(forward, Channel("Current", "A", surface(), "backward")), forward) is None
    assert other_direction(scan(forward, holes), forward) is None


def repaired(given: Scan) -> Restoration:
    return restore(given, RestoreRequest(task="repair", model="row-median"), Progress())


def test_a_repair_is_checked_with_the_other_direction(tiny_models: object) -> None:
    rows = 1e-10 * RNG.normal(0, 0.3, (64, 1))
    both = scan(Channel("Z", "m", 1e-10 * surface() + rows), Channel("Z", "m", 1e-10 * surface(2), "backward"))
    (check,) = [c for c in repaired(both).checks if c.about == "self-check"]
    assert check.text.startswith("Self-check: forward and backward, repaired apart, differ by ")
    assert not check.warns


def test_one_direction_alone_is_said_to_be_unchecked(tiny_models: object) -> None:
    (check,) = [c for c in repaired(scan(Channel("Z", "m", 1e-10 * surface()))).checks if c.about == "self-check"]
    assert "nothing to check the repair with" in check.text
