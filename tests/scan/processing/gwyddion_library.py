"""Gwyddion's own C library as the oracle for processing, where it is installed; no Python bindings are needed."""

import ctypes
import ctypes.util
from functools import cache
from typing import Any

import numpy as np
import pytest

_NAME = "libgwyprocess2.so.0"


@cache
def library() -> Any:
    """The library, None where there is none."""
    try:
        ctypes.CDLL("libgwyddion2.so.0", mode=ctypes.RTLD_GLOBAL)  # it does not name what it needs of this one
        found = ctypes.CDLL(_NAME)
    except OSError:
        return None
    found.gwy_process_type_init()
    pointer, real, whole = ctypes.c_void_p, ctypes.c_double, ctypes.c_int
    found.gwy_data_field_new.restype = pointer
    found.gwy_data_field_new.argtypes = [whole, whole, real, real, whole]
    found.gwy_data_field_get_data.restype = ctypes.POINTER(real)
    found.gwy_data_field_get_data.argtypes = [pointer]
    out = ctypes.POINTER(real)
    found.gwy_data_field_fit_plane.argtypes = [pointer, out, out, out]
    found.gwy_data_field_plane_level.argtypes = [pointer, real, real, real]
    found.gwy_data_field_fit_facet_plane.argtypes = [pointer, pointer, whole, out, out, out]
    found.gwy_data_field_mark_scars.argtypes = [pointer, pointer, real, real, real, real, whole]
    found.gwy_data_field_fit_polynom.argtypes = [pointer, whole, whole, pointer]
    found.gwy_data_field_fit_polynom.restype = pointer
    found.gwy_data_field_subtract_polynom.argtypes = [pointer, whole, whole, pointer]
    return found


needs_library = pytest.mark.skipif(library() is None, reason="Gwyddion's library is not installed")


class Field:
    """A GwyDataField that holds a copy of an array; `size` is its real width and height."""

    def __init__(self, data: np.ndarray, size: tuple[float, float] | None = None) -> None:
        rows, columns = data.shape
        width, height = size or (float(columns), float(rows))
        self.pointer = library().gwy_data_field_new(columns, rows, width, height, 1)
        self._shape = data.shape
        self._view[:] = data.ravel()

    @property
    def _view(self) -> np.ndarray:
        start = library().gwy_data_field_get_data(self.pointer)
        return np.ctypeslib.as_array(start, (self._shape[0] * self._shape[1],))

    @property
    def data(self) -> np.ndarray:
        return self._view.reshape(self._shape).copy()

    def plane_levelled(self) -> np.ndarray:
        a, b, c = (ctypes.c_double() for _ in range(3))
        library().gwy_data_field_fit_plane(self.pointer, ctypes.byref(a), ctypes.byref(b), ctypes.byref(c))
        library().gwy_data_field_plane_level(self.pointer, a, b, c)
        return self.data

    def facet_round(self) -> tuple[float, float]:
        """One round of its facet fit: the slopes over a pixel."""
        a, b, c = (ctypes.c_double() for _ in range(3))
        library().gwy_data_field_fit_facet_plane(
            self.pointer, None, 2, ctypes.byref(a), ctypes.byref(b), ctypes.byref(c)
        )
        return b.value, c.value

    def polynomial_levelled(self, order_x: int, order_y: int) -> np.ndarray:
        coefficients = library().gwy_data_field_fit_polynom(self.pointer, order_x, order_y, None)
        library().gwy_data_field_subtract_polynom(self.pointer, order_x, order_y, coefficients)
        return self.data

    def scars(self, high: float, low: float, length: int, width: int, *, negative: bool) -> np.ndarray:
        mark = Field(np.zeros(self._shape))
        library().gwy_data_field_mark_scars(self.pointer, mark.pointer, high, low, length, width, int(negative))
        return mark.data > 0
