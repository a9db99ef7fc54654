"""What is measured on simulated heights: plane waves, step heights, spots."""

import numpy as np
from scipy import ndimage


def amplitudes(z, pixel, waves):
    """Amplitudes of the plane waves with wave vectors `waves` (n, 2) in 1/m (right, down; no factor 2 pi)."""
    rows, columns = z.shape
    window = np.outer(np.hanning(rows), np.hanning(columns))
    weighted = window * (z - np.average(z, weights=window))
    waves = np.asarray(waves, float)
    right = np.exp(-2j * np.pi * np.outer(np.arange(columns) * pixel, waves[:, 0]))
    down = np.exp(-2j * np.pi * np.outer(np.arange(rows) * pixel, waves[:, 1]))
    return abs((down * (weighted @ right)).sum(axis=0)) / window.sum()


def along(direction_deg, period):
    """Wave vectors of these periods along a direction (from the columns axis to the rows axis)."""
    direction = np.deg2rad(direction_deg)
    return np.stack(np.broadcast_arrays(np.cos(direction) / period, np.sin(direction) / period), axis=-1)


def wave(z, pixel, direction_deg, period):
    """Amplitude of the plane wave of that period along that direction."""
    return amplitudes(z, pixel, along(direction_deg, np.array([period])))[0]


def peak(z, pixel, direction_deg, period):
    """Period and direction of the strongest wave within 8 % and 3 degrees of those."""
    periods, directions = np.meshgrid(period * np.linspace(0.92, 1.08, 65), direction_deg + np.linspace(-3, 3, 7))
    waves = along(directions.ravel(), periods.ravel())
    at = int(np.argmax(amplitudes(z, pixel, waves)))
    return periods.ravel()[at], directions.ravel()[at]


def step_height(z, pixel, blur_m):
    """Distance of the two heights that most of the field has, once the lattice is blurred."""
    smooth = ndimage.gaussian_filter(z, blur_m / pixel)
    middle = (np.percentile(smooth, 2) + np.percentile(smooth, 98)) / 2
    edge = int(3 * blur_m / pixel)
    upper = ndimage.binary_erosion(smooth > middle, iterations=edge, border_value=1)
    lower = ndimage.binary_erosion(smooth < middle, iterations=edge, border_value=1)
    return np.median(smooth[upper]) - np.median(smooth[lower])


def spots(difference, threshold):
    """How many separate places exceed the threshold."""
    return ndimage.label(difference > threshold)[1]


def maxima(z, radius_px, above):
    """Rows and columns of local maxima."""
    size = 2 * radius_px + 1
    top = (z == ndimage.maximum_filter(z, size)) & (z > above)
    top[:radius_px] = top[-radius_px:] = False
    top[:, :radius_px] = top[:, -radius_px:] = False
    return np.nonzero(top)
