"""Filters, in the Fourier domain and out of it, and the marking of pixels."""

import threading

import numpy as np
import pytest
from scipy import ndimage

from stmviewer.scan import Cancelled, Geometry, History, Progress, RequestError
from stmviewer.scan.processing import filters
from stmviewer.scan.processing.filters import decomposed
from stmviewer.scan.processing.image import Image
from stmviewer.scan.progress import Advance

GEOMETRY = Geometry(128, 128, 12.8e-9, 12.8e-9)


def wave(period_nm: float, angle: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[0:128, 0:128] * 0.1
    return np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period_nm)


def done(text: str, data: np.ndarray, geometry: Geometry = GEOMETRY) -> np.ndarray:
    return History.from_text(text).replay(Image(data, geometry)).data


def rms(data: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(data[8:-8, 8:-8] ** 2)))


def test_bands_pass_what_is_in_them() -> None:
    slow, middle, fast = wave(6.4), wave(1.6), wave(0.4)
    mixed = slow + middle + fast + 5.0
    assert rms(done("low-pass:0.8", mixed) - slow - middle - 5) < 0.03
    assert rms(done("high-pass:3", mixed) - middle - fast - 5) < 0.08
    assert rms(done("band-pass:0.8,3", mixed) - middle - 5) < 0.08
    with pytest.raises(RequestError, match=r"the shortest period \(3\) must be under the longest \(0.8\)"):
        done("band-pass:3,0.8", mixed)


def test_marked_waves_go_or_stay_alone() -> None:
    lattice, hum = wave(1.28, 0.4), wave(0.64, -1.0)
    kx, ky = np.cos(-1.0) / 0.64, np.sin(-1.0) / 0.64
    mark = f"{kx:.4f} {ky:.4f} 0.3"
    assert rms(done(f"fft-filter:remove,{mark}", lattice + hum) - lattice) < 0.1
    assert rms(done(f"fft-filter:keep,{mark}", lattice + hum) - hum) < 0.1
    assert done(f"fft-filter:remove,{-kx:.4f} {-ky:.4f} 0.3", lattice + hum) == pytest.approx(
        done(f"fft-filter:remove,{mark}", lattice + hum)
    )
    for wrong in ("", "1 2", "a b c", "1 2 0", "1 2 nan"):
        with pytest.raises(RequestError, match="circles"):
            done(f"fft-filter:remove,{wrong}", lattice)


def test_a_tilted_image_gets_no_cross() -> None:
    y, x = np.mgrid[0:128, 0:128]
    tilted = 0.3 * x - 0.1 * y + wave(1.28)
    periodic, smooth = decomposed(tilted)
    assert periodic + smooth == pytest.approx(tilted)
    jump = np.abs(periodic[:, 0] - periodic[:, -1]).mean()
    assert jump < 0.1 * np.abs(tilted[:, 0] - tilted[:, -1]).mean()


def test_gaps_stay_gaps_in_every_filter() -> None:
    data = wave(1.28)
    data[30:40, 50:70] = np.nan
    for text in ("low-pass:0.5", "high-pass:5", "fft-filter:remove,0.78 0 0.1", "median:3", "gaussian:2"):
        assert np.array_equal(np.isnan(done(text, data)), np.isnan(data)), text


def test_the_median_takes_out_a_spike_and_the_gaussian_keeps_a_constant() -> None:
    data = np.full((30, 30), 2.0)
    data[10, 10] = 50.0
    assert done("median:3", data, Geometry.of_pixels(30, 30)) == pytest.approx(2.0)
    gaps = np.full((30, 30), 2.0)
    gaps[5:20] = np.nan
    smooth = done("gaussian:3", gaps, Geometry.of_pixels(30, 30))
    assert smooth[np.isfinite(smooth)] == pytest.approx(2.0)


def test_marks_are_not_measured_any_more() -> None:
    data = np.arange(1200.0).reshape(30, 40)
    px = Geometry.of_pixels(30, 40)
    inside = np.isnan(done("mask-rectangle:5,6,10,8", data, px))
    assert inside.sum() == 80 and inside[6:14, 5:15].all()
    assert np.array_equal(np.isnan(done("mask-rectangle:5,6,10,8,outside", data, px)), ~inside)
    assert np.isnan(done("mask-extremes:0,10", data, px)).sum() == 120
    assert np.nanmax(done("mask-extremes:0,10", data, px)) < 1080
    assert np.nanmin(done("mask-threshold:100,900", data, px)) == 100
    painted = np.isnan(done("mask-brush:2,5 5 25 5 / 10 20", data, px))
    assert painted[4, 5:25].all() and painted[20, 10] and not painted[12, 10] and not painted[4, 33]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mask-rectangle:0,0,40,30", "every pixel would be marked"),
        ("mask-rectangle:50,0,4,4", "does not lie on the image"),
        ("mask-brush:500,10 10", "every pixel would be marked"),
        ("mask-brush:5", "nothing was painted yet"),
        ("mask-brush:5,1 2 3", "pairs of numbers"),
        ("mask-brush:5,one two", "the path of a brush is numbers"),
        ("mask-extremes:60,60", "under 100 %"),
        ("mask-threshold:3,2", "must be under the upper one"),
        ("mask-threshold:-5,-2", "every pixel would be marked"),
    ],
)
def test_marks_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        done(text, np.arange(1200.0).reshape(30, 40), Geometry.of_pixels(30, 40))


@pytest.mark.parametrize("size", [2, 3, 8])
def test_a_median_in_bands_is_the_median_of_the_whole(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = np.random.default_rng(0).normal(size=(37, 20))
    monkeypatch.setattr(filters, "_BAND_WORK", 20 * size**2 * 5)  # five rows a band
    bands = filters.median_filter(data, size)
    np.testing.assert_array_equal(bands, ndimage.median_filter(data, size=size, mode="nearest"))


def test_a_wide_median_of_a_large_image_can_be_cancelled() -> None:
    stop, asked = threading.Event(), []

    def report(advance: Advance) -> None:
        asked.append(advance.fraction)
        if len(asked) > 3:
            stop.set()

    image = Image(np.random.default_rng(0).normal(size=(2048, 2048)), Geometry.of_pixels(2048, 2048))
    with pytest.raises(Cancelled):
        History.from_text("median:31").replay(image, Progress(report, stop))
    assert asked[-1] < 0.05  # the whole of it would take minutes
