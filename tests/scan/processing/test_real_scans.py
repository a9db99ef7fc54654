"""Processing of scans that microscopes have measured."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates, shift

from stmviewer.files import open_scan
from stmviewer.scan import Channel, Geometry, History, RequestError, Scan
from stmviewer.scan.processing.drift import lag, lattice_drift
from stmviewer.scan.processing.scans import processed
from stmviewer.scan.waves import lattice_waves

pytestmark = pytest.mark.real_data


def both(scan: Scan, steps: str) -> list[Channel]:
    made, _ = processed(scan, scan.channel(), History.from_text(steps))
    return [channel for channel in made.channels if channel.role == "processed"]


def difference(channels: list[Channel]) -> float:
    forward, backward = (channel.data[:, 20:-20] for channel in channels)
    off = forward - backward
    return float(np.nanmean(np.abs(off - np.nanmedian(off))))


@pytest.mark.parametrize(("name", "left"), [("pyspm/test.sxm", 0.4), ("alexriss-spmimagetycoon/Image_398.sxm", 0.75)])
def test_forward_and_backward_agree_better_once_their_lag_is_taken_out(real_data: Path, name: str, left: float) -> None:
    scan = open_scan(real_data / "scans" / name)
    before, after = (difference(both(scan, steps)) for steps in ("align-rows", "align-rows; drift:directions"))
    assert after < left * before


def warped(data: np.ndarray, shear: float, stretch: float) -> np.ndarray:
    """What a scanner that drifts on top of it would have measured; without the edges that it lacks. Square pixels."""
    y, x = (np.indices(data.shape).T - (np.array(data.shape) - 1) / 2).T
    place = np.stack([stretch * y, x + shear * y])
    seen = map_coordinates(data, (place.T + (np.array(data.shape) - 1) / 2).T, order=3, mode="reflect")
    margin = round((abs(shear) + max(stretch - 1, 0)) * len(data) / 2) + 2
    result: np.ndarray = seen[margin:-margin, margin:-margin]
    return result


@pytest.mark.parametrize(("shear", "stretch"), [(0.0, 1.05), (-0.03, 1.0)])
def test_known_drift_put_into_a_real_scan_is_found_again(real_data: Path, shear: float, stretch: float) -> None:
    scan = open_scan(real_data / "scans" / "ethz-matlab_nanonis" / "Si_7x7_028.sxm")
    data, frame = scan.channel().data, scan.geometry
    there = lattice_drift(data, frame, "hexagonal")
    seen = warped(data, shear, stretch)
    pixel = frame.pixel_width
    cut = Geometry(seen.shape[1], seen.shape[0], seen.shape[1] * pixel, seen.shape[0] * pixel)
    found = lattice_drift(seen, cut, "hexagonal")
    assert found == pytest.approx((shear + there[0] * stretch, there[1] * stretch), abs=0.01)


def test_a_corrected_7x7_is_hexagonal(real_data: Path) -> None:
    scan = open_scan(real_data / "scans" / "ethz-matlab_nanonis" / "Si_7x7_028.sxm")
    assert lattice_drift(scan.channel().data, scan.geometry, "hexagonal")[1] < 0.8  # as measured it is not
    made, _ = processed(scan, scan.channel(), History.from_text("drift:lattice,hexagonal,cut"))
    after = next(channel for channel in made.channels if channel.role == "processed")
    assert lattice_drift(after.data, made.geometry, "hexagonal") == pytest.approx((0, 1), abs=0.02)
    # the rows of its cells are 2.33 nm apart; this scanner was never calibrated to better than some percent
    periods = sorted(wave.period for wave in lattice_waves(after.data, made.geometry))
    assert periods[-1] == pytest.approx(2.33e-9, rel=0.1)


@pytest.mark.parametrize("lattice", ["hexagonal", "square", "2x1"])
def test_peaks_of_noise_are_no_lattice(real_data: Path, lattice: str) -> None:
    scan = open_scan(real_data / "scans" / "alexriss-spmimagetycoon" / "Image_398.sxm")
    with pytest.raises(RequestError, match=r"no .* lattice whose peaks stand out"):
        lattice_drift(scan.channel().data, scan.geometry, lattice)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    ["ethz-matlab_nanonis/Si_7x7_028.sxm", "alexriss-spmimagetycoon/Image_398.sxm", "spmqt-createc/sxm_moire_10nm.sxm"],
)
def test_a_known_lag_put_into_a_real_scan_is_found_again(real_data: Path, name: str) -> None:
    scan = open_scan(real_data / "scans" / name)
    forward, backward = (scan.channel("Z", direction).data for direction in ("forward", "backward"))
    before = lag(forward, backward)
    lagging = lag(shift(forward, (0, 3.0), mode="nearest"), shift(backward, (0, -3.0), mode="nearest"))
    assert float(np.median(lagging - before)) == pytest.approx(3.0, abs=0.25)


def test_a_lag_is_not_made_up_where_nothing_tells_of_it(real_data: Path) -> None:
    scan = open_scan(real_data / "scans" / "spmqt-createc" / "createc_scan_atomic_11nm.dat")
    forward, backward = (scan.channel("Topography", direction).data for direction in ("forward", "backward"))
    found = lag(forward, backward)  # seen in nine tiles, as 5 to 7 pixels
    assert found.min() > 4 and found.max() < 8
