"""Our reader beside Gwyddion's and nanonispy2's, on real files and on made ones."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan, save_scan
from stmviewer.scan import Scan
from stmviewer.simulate import simulate_scan, to_scan

from .gwyddion_program import converted, needs_gwyddion
from .make_sxm import sxm_bytes, two_channels


def _compare_with_gwyddion(path: Path, folder: Path) -> int:
    scan = open_scan(path)
    found = converted(path, folder)
    assert len(found) == len(scan.channels)
    for channel, block in zip(scan.channels, found, strict=True):
        name, _, direction = block["title"].rpartition(" (")
        assert (channel.name, channel.direction) == (name, direction.rstrip(")").lower())
        assert channel.unit == block["unit"]
        assert block["unit_xy"] == "m"
        assert (scan.geometry.width, scan.geometry.height) == pytest.approx(block["size"], rel=1e-6)
        corner = [c - s / 2 for c, s in zip(scan.geometry.centre, block["size"], strict=True)]
        assert corner == pytest.approx(block["offset"], abs=1e-6 * scan.geometry.width)
        assert channel.data.shape == block["data"].shape
        np.testing.assert_array_equal(channel.measured, ~block["masked"])
        if channel.measured.any():
            values, theirs = channel.data[channel.measured], block["data"][channel.measured]
            scale = float(np.ptp(theirs)) or float(np.abs(theirs).max()) or 1.0
            assert np.abs(values - theirs).max() <= 1e-6 * scale
    _compare_with_our_reading_of_gwy(scan, open_scan(folder / "by-gwyddion.gwy"))
    return len(found)


def _compare_with_our_reading_of_gwy(scan: Scan, again: Scan) -> None:
    """What Gwyddion made of a scan is the same scan to us, but for what it cannot say."""
    assert [(c.label, c.unit) for c in again.channels] == [(c.label, c.unit) for c in scan.channels]
    assert (again.bias_v, again.setpoint_a) == (scan.bias_v, scan.setpoint_a)
    assert (again.recorded, again.scan_direction) == (scan.recorded, scan.scan_direction)
    assert again.geometry.centre == pytest.approx(scan.geometry.centre, abs=1e-6 * scan.geometry.width)
    for ours, theirs in zip(scan.channels, again.channels, strict=True):
        np.testing.assert_array_equal(ours.data[ours.measured], theirs.data[ours.measured])


@pytest.mark.real_data
@pytest.mark.gwyddion
@needs_gwyddion
def test_every_real_sxm_as_gwyddion_sees_it(real_data: Path, tmp_path: Path) -> None:
    compared, refused = 0, []
    for path in sorted((real_data / "scans").rglob("*.sxm")):
        try:
            compared += _compare_with_gwyddion(path, tmp_path)
        except subprocess.CalledProcessError:
            refused.append(path.name)
    assert compared >= 100
    # Gwyddion 2.62 stops at the blank line in this header; we read it
    assert set(refused) <= {"A250320.191933.sxm"}


@pytest.mark.gwyddion
@needs_gwyddion
@pytest.mark.parametrize("up", [False, True])
def test_a_made_sxm_as_gwyddion_sees_it(tmp_path: Path, up: bool) -> None:
    made = two_channels(rows=6, columns=9)
    assert made[0].backward is not None
    made[0].backward[2:4, 1:5] = np.nan
    path = tmp_path / "made.sxm"
    path.write_bytes(sxm_bytes(made, up=up))
    assert _compare_with_gwyddion(path, tmp_path) == 4


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore")
def test_every_real_sxm_as_nanonispy2_reads_it(real_data: Path) -> None:
    """nanonispy2 turns nothing: its images are in the order of storage, so ours are turned back."""
    nanonispy2 = pytest.importorskip("nanonispy2")
    compared = 0
    for path in sorted((real_data / "scans").rglob("*.sxm")):
        try:
            theirs = nanonispy2.read.Scan(str(path))
        except Exception:
            continue  # it does not read this one
        scan = open_scan(path)
        for channel in scan.channels:
            stored = channel.data[:, ::-1] if channel.direction == "backward" else channel.data
            stored = stored[::-1] if scan.scan_direction == "up" else stored
            np.testing.assert_array_equal(stored, theirs.signals[channel.name][channel.direction])
        assert scan.bias_v == pytest.approx(float(theirs.header["bias"]))
        assert (scan.geometry.width, scan.geometry.height) == pytest.approx(tuple(theirs.header["scan_range"]))
        compared += 1
    assert compared >= 13


@pytest.mark.gwyddion
@needs_gwyddion
@pytest.mark.parametrize("unfinished", [0.0, 1.0])
def test_gwyddion_sees_a_simulated_pair_as_it_was_made(tmp_path: Path, unfinished: float) -> None:
    pair = simulate_scan("si001h", 40, 48, 0.1e-9, "severe", 4, unfinished=unfinished)
    path = save_scan(to_scan(pair), tmp_path / "pair.sxm")
    found = {block["title"]: block for block in converted(path, tmp_path)}
    images = {"Z (Forward)": pair.degraded, "Z (Backward)": pair.backward, "Z pristine (Forward)": pair.clean}
    for title, image in images.items():
        assert image is not None
        block = found[title]
        assert block["size"] == pytest.approx((48 * pair.pixel_m, 40 * pair.pixel_m))
        assert (block["unit"], block["unit_xy"]) == ("m", "m")
        measured = np.isfinite(image)
        np.testing.assert_array_equal(~block["masked"], measured)
        np.testing.assert_allclose(block["data"][measured], image[measured], rtol=1e-6, atol=1e-20)
    assert np.isfinite(pair.degraded).all() == (unfinished == 0)
