import threading

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.paths import resources
from stmviewer.restore import RestoreRequest
from stmviewer.restore.pipeline import restore
from stmviewer.restore.tips import Tip, TipEnd, find_tip, misfit, removed, scanned, without
from stmviewer.restore.tips.current import DECAY_PER_M, decay_of
from stmviewer.restore.tips.removal import noise_of
from stmviewer.scan import Cancelled, Channel, Geometry, Progress, Scan
from stmviewer.simulate.degradations import SeveralTips

END = TipEnd(11.0, -6.0, 0.6)


def surface(seed=0, features=70, side=192):
    """Rows of 8 pixels with hollows and bumps at random places, in metres."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side].astype(float)
    image = 8e-12 * np.cos(2 * np.pi * (x + 0.2 * y) / 8)
    for _ in range(features):
        r, c = rng.uniform(0, side, 2)
        height = rng.choice((-60e-12, -45e-12, 70e-12))
        image += height * np.exp(-((y - r) ** 2 + (x - c) ** 2) / (2 * 1.8**2))
    return image


def noisy(image, seed=1, rms=1e-12):
    return image + np.random.default_rng(seed).normal(0, rms, image.shape)


def found(image, unit="m"):
    return find_tip(image, unit, Progress())


def test_the_image_is_that_of_the_simulator():
    """The same current, but for the height of a flat surface."""
    tip = SeveralTips((5.3,), (-2.6,), (0.02e-9,), DECAY_PER_M / 2)
    end = TipEnd(5.3, -2.6, float(np.exp(-DECAY_PER_M * 0.02e-9)))
    h = surface()
    ours, theirs = scanned(h, [end], DECAY_PER_M), tip.apply(h, np.random.default_rng(0))
    assert ours - theirs == pytest.approx(np.full_like(h, -np.log(1 + end.weight) / DECAY_PER_M), abs=1e-18)


def test_a_flat_surface_stays_where_it_is():
    assert scanned(np.full((20, 30), 3e-10), [END], DECAY_PER_M) == pytest.approx(3e-10)


def test_the_inversion_undoes_the_image():
    h = surface()
    z = scanned(h, [END], DECAY_PER_M)
    inner = np.s_[20:-20, 20:-20]
    before = np.abs(z - h)[inner].mean()
    assert np.abs(without(z, [END], DECAY_PER_M) - h)[inner].mean() < 0.45 * before
    assert np.abs(without(z, [END], DECAY_PER_M, steps=40) - h)[inner].mean() < 0.15 * before


def test_without_ends_nothing_changes():
    h = surface(features=3)
    assert without(h, [], DECAY_PER_M) == pytest.approx(h, abs=1e-20)
    assert removed(h, Tip((), DECAY_PER_M, 0)) is h


@pytest.mark.parametrize("seed", [0, 3])
def test_the_further_end_is_found(seed):
    tip = found(noisy(scanned(surface(seed), [END], DECAY_PER_M)))
    (end,) = tip.ends
    assert np.hypot(end.x_px - END.x_px, end.y_px - END.y_px) < 0.7
    assert 0.3 <= end.weight <= 1
    assert tip.evidence < 0.75
    assert tip.features >= 24


@pytest.mark.parametrize("seed", range(6))
def test_a_single_tip_is_no_double_tip(seed):
    tip = found(noisy(surface(seed)))
    assert not tip.several
    assert tip.features >= 24


def test_a_lattice_and_a_few_features_prove_nothing():
    for features in (0, 5):
        tip = found(noisy(scanned(surface(features=features), [END], DECAY_PER_M)))
        assert not tip.several
        assert tip.features < 24


@pytest.mark.parametrize("image", [np.zeros((100, 100)), np.zeros((20, 400)), np.ones((1, 1))])
def test_images_without_anything_to_see(image):
    assert not found(image).several


def test_scale_and_unit_of_the_heights_do_not_matter():
    z = noisy(scanned(surface(), [END], DECAY_PER_M))
    (end,) = found(1e12 * z, "").ends
    assert np.hypot(end.x_px - END.x_px, end.y_px - END.y_px) < 0.7


def test_the_sample_scan_has_a_double_tip():
    """resources/samples/make_samples.py puts the second end at (11, -8) pixels."""
    scan = open_scan(resources() / "samples" / "si001h-double-tip.gwy")
    tip = find_tip(np.array(scan.channel().data), "m", Progress(), scan.geometry.pixel_width)
    (end,) = tip.ends
    assert np.hypot(end.x_px - 11, end.y_px + 8) < 0.5


def test_decay_follows_the_range_where_heights_have_no_length():
    image = np.linspace(0, 200, 10_000).reshape(100, 100)
    assert decay_of(image, "m") == DECAY_PER_M
    assert decay_of(image, "") == pytest.approx(4 / 198, rel=0.01)
    assert decay_of(np.ones((5, 5)), "") == 1.0


def test_tilt_and_row_offsets_stay():
    h = surface()
    tip = Tip((END,), DECAY_PER_M, 70)
    offsets = np.cumsum(np.random.default_rng(0).normal(0, 2e-12, 192))[:, None] + 1e-12 * np.arange(192)
    z = scanned(h, [END], DECAY_PER_M)
    assert np.abs((removed(z + offsets, tip) - offsets) - removed(z, tip)).mean() < 0.1 * np.abs(z - h).mean()


def test_strips_leave_no_seams(monkeypatch):
    z = scanned(surface(), [END], DECAY_PER_M)
    tip = Tip((END,), DECAY_PER_M, 70)
    whole = removed(z, tip)
    monkeypatch.setattr("stmviewer.restore.tips.removal._STRIP", 50)
    assert np.abs(removed(z, tip) - whole).max() < 1e-6 * np.ptp(whole)


def test_the_misfit_tells_a_right_tip_from_none():
    h = surface()
    z = noisy(scanned(h, [END], DECAY_PER_M))
    right = misfit(h, z, Tip((END,), DECAY_PER_M, 70))
    wrong = misfit(h, z, Tip((), DECAY_PER_M, 70))
    assert right.again == pytest.approx(1e-12, rel=0.1)  # the noise
    assert right.plain == pytest.approx(wrong.again)
    assert right.plain > 5 * right.again


def test_noise_is_told_from_a_lattice():
    assert noise_of(noisy(surface(features=0), rms=2e-12)) == pytest.approx(2e-12, rel=0.15)


def test_it_can_be_cancelled():
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        find_tip(surface(), "m", Progress(stop=stop))


# in a restoration


def scan_of(image, unit="m"):
    rows, columns = image.shape
    frame = Geometry(columns, rows, columns * 1e-10, rows * 1e-10)
    return Scan([Channel("Z", unit, image)], frame, format="made")


def repaired(image, **wishes):
    return restore(scan_of(image), RestoreRequest(task="repair", device="cpu", **wishes), Progress())


@pytest.mark.usefixtures("tiny_models")
def test_the_repair_takes_further_ends_out_and_says_so():
    z = noisy(scanned(surface(), [END], DECAY_PER_M))
    with_tips, without_tips = (repaired(z, model="regression-tiny", tips=tips) for tips in (True, False))
    assert np.abs(with_tips.mean - without_tips.mean).max() > 5e-12
    (end,) = with_tips.provenance["tip"]["further_ends"]
    assert end["x_m"] == pytest.approx(1.1e-9, abs=0.07e-9)
    assert end["y_m"] == pytest.approx(-0.6e-9, abs=0.07e-9)
    (check,) = [c for c in with_tips.checks if c.about == "tip"]
    assert "as if the tip had 2 ends" in check.text
    assert "Misfit after the estimated tip is applied again" in check.text
    assert "nm (right, down)" in check.text
    # found, told, and left alone
    assert without_tips.provenance["tip"] == with_tips.provenance["tip"]
    (told,) = [c for c in without_tips.checks if c.about == "tip"]
    assert "restore --tips, takes it out first" in told.text
    assert told.warns


@pytest.mark.usefixtures("tiny_models")
def test_nobody_looks_for_ends_that_are_neither_told_nor_taken_out():
    z = noisy(scanned(surface(), [END], DECAY_PER_M))
    assert repaired(z, model="regression-tiny", check=False).provenance["tip"] is None
    assert repaired(z, model="regression-tiny", check=False, tips=True).provenance["tip"]["further_ends"]


@pytest.mark.usefixtures("tiny_models")
def test_the_repair_of_a_single_tip_is_untouched():
    z = noisy(surface())
    with_tips, without_tips = (repaired(z, model="regression-tiny", tips=tips) for tips in (True, False))
    assert np.array_equal(with_tips.mean, without_tips.mean)
    assert with_tips.provenance["tip"]["further_ends"] == []
    assert not [c for c in without_tips.checks if c.about == "tip"]
    (told,) = [c for c in with_tips.checks if c.about == "tip"]  # who asked for it is told
    assert "no second end was found" in told.text and not told.warns


def test_classical_repairs_do_not_look_for_tips():
    z = noisy(scanned(surface(), [END], DECAY_PER_M))
    assert repaired(z, model="row-median").provenance["tip"] is None
