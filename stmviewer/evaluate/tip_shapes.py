"""Numbers that tell a double or asymmetric tip: what repeats at an offset, and which way features are drawn out.

A second tip adds the image again, moved by d and weaker by a: the spectrum is that of the image times
|1 + a exp(ikd)|^2. The logarithm turns that into a ripple, and the spectrum of the logarithm (the cepstrum: Bogert,
Healy, Tukey, 1963) has a peak at d, whatever the image. The lattice has ripples of its own, so the peaks of the
spectrum are taken out for the autocorrelation of what remains: defects, edges, adsorbates. An asymmetric tip draws all
of them out the same way.
"""

import numpy as np

from stmviewer.scan import FloatArray

#: distances (px) between which the highest and lowest value is looked for; the fast axis itself is noise of lines
_RINGS = ((3, 8), (8, 16), (16, 32), (32, 64), (64, 100))
_OFF_LINE = 1.5
#: frequencies (1/px) of the two cepstra: the coarse part alone, and up to where noise begins
_BANDS = ((0.01, 0.12), (0.01, 0.35))
#: a peak of the lattice stands so far over the logarithm of the spectrum around it
_PEAK, _AROUND = 1.5, 9
_SLOPES = (1.0, 2.0, 4.0)
_MAD = 1.4826


def shape_numbers(detail: FloatArray) -> FloatArray:
    """The numbers of a normalised image (rows, columns), 64 pixels a side at least; always as many."""
    numbers = [*_repeats(detail), *_directions(detail), *_features(detail)]
    centred = detail - detail.mean()
    spread = max(float(centred.std()), 1e-6)
    numbers += [float((centred**3).mean()) / spread**3, float((centred**4).mean()) / spread**4]
    return np.nan_to_num(np.array(numbers, dtype=np.float64))


def _repeats(detail: FloatArray) -> list[float]:
    """Extremes of two cepstra and of the autocorrelation without lattice, ring by ring, over what is usual there."""
    from scipy.ndimage import median_filter, uniform_filter

    rows, columns = detail.shape
    window = np.hanning(rows)[:, None] * np.hanning(columns)[None]
    level = detail - detail.mean()
    log = np.log(np.abs(np.fft.fft2(level * window)) ** 2 + 1e-6)
    usual = median_filter(log, size=_AROUND, mode="wrap")
    ky, kx = np.meshgrid(np.fft.fftfreq(rows), np.fft.fftfreq(columns), indexing="ij")
    k = np.hypot(ky, kx)
    y, x = ky * rows, kx * columns
    radius, off_line = np.hypot(y * 1.0, x * 1.0), np.abs(y) > _OFF_LINE
    ripple = log - uniform_filter(log, 25, mode="wrap")
    numbers: list[float] = []
    for low, high in _BANDS:
        inside = (k > low) & (k < high) & (np.abs(ky) > 0.5 / rows)
        cepstrum = np.fft.ifft2(np.where(inside, ripple, 0)).real
        whole = float(np.std(cepstrum[radius > 3])) + 1e-9
        for near, far in _RINGS:
            top, bottom, spread = _extremes(cepstrum[(radius >= near) & (radius < far) & off_line])
            numbers += [top, bottom, np.log(spread / whole + 1e-3)]
    no_lattice = np.where(np.clip(log - usual, -2.5, 2.5) > _PEAK, 0.0, 1.0) * (k < 0.25)
    white = np.fft.ifft2(np.fft.fft2(level) / np.exp(usual / 2) * no_lattice).real
    # what stands out counts for more than the many small values around it
    spectrum = np.fft.fft2(np.sign(white) * np.abs(white) ** 1.5 * window)
    correlation = np.fft.ifft2(np.abs(spectrum) ** 2).real
    correlation = correlation / max(float(correlation[0, 0]), 1e-12)
    for near, far in ((4, 8), *_RINGS[1:4]):
        numbers += _extremes(correlation[(radius >= near) & (radius < far) & off_line])[:2]
    return numbers


def _extremes(values: FloatArray) -> tuple[float, float, float]:
    """Logarithms of the largest and of the smallest value in robust deviations, and that deviation."""
    if not values.size:
        return 0.0, 0.0, 1e-9
    spread = _MAD * float(np.median(np.abs(values - np.median(values)))) + 1e-9
    top, bottom = float(values.max()) / spread, -float(values.min()) / spread
    return float(np.log(max(top, 0.1))), float(np.log(max(bottom, 0.1))), spread


def _directions(detail: FloatArray) -> list[float]:
    """At three scales: how one-sided slopes are, their skewness in four directions, and the share of that scale."""
    from scipy.ndimage import gaussian_filter

    numbers: list[float] = []
    for sigma in _SLOPES:
        smooth = gaussian_filter(detail, sigma)
        gy, gx = np.gradient(smooth)
        xx, yy, xy = float((gx * gx).mean()), float((gy * gy).mean()), float((gx * gy).mean())
        numbers.append(float(np.hypot(xx - yy, 2 * xy)) / (xx + yy + 1e-9))
        for angle in np.arange(4) * np.pi / 4:
            slope = gx * np.cos(angle) + gy * np.sin(angle)
            numbers.append(abs(float((slope**3).mean())) / (float(slope.std()) + 1e-9) ** 3)
        scale = float((smooth - gaussian_filter(detail, 2 * sigma)).std())
        numbers.append(float(np.log(scale / (float(detail.std()) + 1e-9) + 1e-3)))
    return numbers


def _features(detail: FloatArray) -> list[float]:
    """Of the brightest and of the darkest features: how long they are, whether they all point one way, their sizes."""
    from scipy.ndimage import gaussian_filter, label, mean, sum_labels

    band = gaussian_filter(detail, 1.5) - gaussian_filter(detail, 8)
    y, x = (a.astype(np.float64) for a in np.mgrid[: detail.shape[0], : detail.shape[1]])
    numbers: list[float] = []
    for shown in (band, -band):
        labels, count = label(shown > np.percentile(shown, 96))
        every = np.arange(1, count + 1)
        area = sum_labels(np.ones_like(band), labels, every) if count else np.zeros(0)
        chosen = every[(area >= 12) & (area < 0.02 * band.size)]
        if len(chosen) < 3:
            numbers += [0.0] * 7
            continue
        size = area[chosen - 1]
        cy, cx = mean(y, labels, chosen), mean(x, labels, chosen)
        yy, xx = mean(y * y, labels, chosen) - cy**2, mean(x * x, labels, chosen) - cx**2
        xy = mean(x * y, labels, chosen) - cx * cy
        long = np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-9)
        # twice the angle: a feature points both ways
        pointing = (size * long * np.exp(1j * np.arctan2(2 * xy, xx - yy))).sum()
        alike = float(np.abs(pointing)) / (float((size * long).sum()) + 1e-9)
        numbers += [
            float(np.median(long)), alike, float(np.cos(np.angle(pointing))), float(np.log(np.median(size))),
            float(np.log(len(chosen))), float(np.log(size.std() / size.mean() + 0.01)), float(np.median(long)) * alike,
        ]  # fmt: skip
    return numbers
