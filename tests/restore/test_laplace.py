"""Laplace interpolation against its equation, and against Gwyddion's own where its library is installed."""

import ctypes
import ctypes.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stmviewer.restore import laplace as module
from stmviewer.restore.laplace import laplace
from stmviewer.scan import Cancelled, Progress

GWYDDION = """
import ctypes, sys
import numpy as np
ctypes.CDLL("libgwyddion2.so.0", mode=ctypes.RTLD_GLOBAL)
library = ctypes.CDLL("libgwyprocess2.so.0")
library.gwy_process_type_init()
library.gwy_data_field_new.restype = ctypes.c_void_p
library.gwy_data_field_new.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_double, ctypes.c_double, ctypes.c_int]
library.gwy_data_field_get_data.restype = ctypes.POINTER(ctypes.c_double)
library.gwy_data_field_get_data.argtypes = [ctypes.c_void_p]
library.gwy_data_field_laplace_solve.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_double]
def field(values):
    made = library.gwy_data_field_new(values.shape[1], values.shape[0], 1.0, 1.0, 0)
    data = np.ctypeslib.as_array(library.gwy_data_field_get_data(made), shape=values.shape)
    data[:] = values
    return made, data
given = np.load(sys.argv[1])
image, data = field(given["image"])
mask, _ = field(given["hidden"].astype(float))
library.gwy_data_field_laplace_solve(image, mask, -1, 2.0)
np.save(sys.argv[2], data)
"""


def surface(rows: int = 40, columns: int = 50) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    noise = np.random.default_rng(0).standard_normal((rows, columns))
    result: np.ndarray = np.sin(x / 3) * np.cos(y / 5) + 0.02 * x + 0.1 * noise
    return result


def masks() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    lines = np.zeros((40, 50), dtype=bool)
    lines[1::4] = True
    hole = np.ones((40, 50), dtype=bool)
    hole[8:25, 10:40] = False
    return {"lines": lines, "hole": hole, "scattered": rng.random((40, 50)) < 0.25}


@pytest.mark.parametrize("name", masks())
def test_each_pixel_is_the_mean_of_its_neighbours(name: str) -> None:
    image, measured = surface(), masks()[name]
    found = laplace(np.where(measured, image, 99.0), measured, Progress())
    np.testing.assert_array_equal(found[measured], image[measured])
    padded = np.pad(found, 1, constant_values=np.nan)
    around = [padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]]
    np.testing.assert_allclose(found[~measured], np.nanmean(around, axis=0)[~measured], atol=1e-9)
    assert found.max() <= image[measured].max() + 1e-9  # no maximum inside
    assert found.min() >= image[measured].min() - 1e-9


def test_conjugate_gradients_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    image, measured = surface(), masks()["scattered"]
    direct = laplace(image, measured, Progress())
    monkeypatch.setattr(module, "_DIRECT", 0)
    np.testing.assert_allclose(laplace(image, measured, Progress()), direct, atol=1e-5)


def test_a_plane_between_two_lines_is_a_plane() -> None:
    image = np.repeat(np.arange(9.0)[:, None], 6, axis=1)
    measured = np.zeros((9, 6), dtype=bool)
    measured[[0, 8]] = True
    np.testing.assert_allclose(laplace(np.where(measured, image, 0), measured, Progress()), image, atol=1e-12)


def test_nothing_to_fill_and_nothing_measured() -> None:
    image = surface()
    for measured in (np.ones(image.shape, dtype=bool), np.zeros(image.shape, dtype=bool)):
        np.testing.assert_array_equal(laplace(image, measured, Progress()), image)


def test_it_can_be_cancelled() -> None:
    progress = Progress()
    progress._root.stop.set()
    with pytest.raises(Cancelled):
        laplace(surface(), masks()["lines"], progress)


@pytest.mark.gwyddion
@pytest.mark.skipif(not ctypes.util.find_library("gwyprocess2"), reason="Gwyddion's library is not installed")
@pytest.mark.parametrize("name", masks())
def test_gwyddion_finds_the_same(name: str, tmp_path: Path) -> None:
    """In a process of its own: its library brings GLib's types with it."""
    image, measured = surface(), masks()[name]
    np.savez(tmp_path / "given.npz", image=np.where(measured, image, 0.0), hidden=~measured)
    command = [sys.executable, "-c", GWYDDION, str(tmp_path / "given.npz"), str(tmp_path / "found.npy")]
    subprocess.run(command, check=True, timeout=60)
    ours = laplace(image, measured, Progress())
    theirs = np.load(tmp_path / "found.npy")
    # it stops its iterations early; a hundredth of the spread is its own accuracy
    assert np.abs(ours - theirs).max() < 0.03 * np.ptp(image)
    assert np.sqrt(np.mean((ours - theirs)[~measured] ** 2)) < 0.005 * np.ptp(image)
