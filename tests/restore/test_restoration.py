"""A result as channels of a new scan."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stmviewer.restore import Restoration, RestoreRequest
from stmviewer.scan import Geometry, Mask, Scan


@pytest.fixture
def result(make_scan: Callable[..., Scan]) -> tuple[Restoration, Scan]:
    rng = np.random.default_rng(0)
    truth = 1e-9 * rng.random((16, 16))
    source = replace(
        make_scan(truth, path=Path("lab/scan042.sxm")),
        bias_v=-1.8,
        setpoint_a=5e-11,
        line_time_s=(0.5, 0.4),
        recorded="2020-01-02",
        comment="cold",
        header={"SCAN_DIR": "up"},
        scan_direction="up",
        notes=("a note of the reader",),
    )
    measured = np.zeros((16, 16), dtype=bool)
    measured[1::4] = True
    restoration = Restoration(
        raw=np.where(measured, truth, np.nan),
        mask=Mask(measured, "lines:4"),
        mean=truth + 1e-12,
        deviation=np.full((16, 16), 1e-12),
        residual=np.where(measured, 3e-12, np.nan),
        geometry=Geometry(16, 16, 2e-9, 2e-9, centre=(1e-9, 0.0)),
        unit="m",
        channel=source.channel(),
        request=RestoreRequest(task="sparse", mask="lines:4"),
        model="linear",
        provenance={"file": "scan042.sxm"},
        warnings=("do not believe it",),
    )
    return restoration, source


def test_each_image_becomes_a_channel_with_its_role(result: tuple[Restoration, Scan]) -> None:
    restoration, source = result
    scan = restoration.to_scan(source)
    assert [c.role for c in scan.channels] == ["raw", "mask", "restored", "deviation"]
    raw, mask, restored, deviation = scan.channels
    assert np.array_equal(raw.data, restoration.raw, equal_nan=True)
    assert np.array_equal(mask.data, restoration.mask.measured)
    assert np.array_equal(restored.data, restoration.mean)
    assert restoration.deviation is not None
    assert np.array_equal(deviation.data, restoration.deviation)
    assert [c.unit for c in scan.channels] == ["m", "", "m", "m"]
    assert {(c.name, c.direction) for c in scan.channels} == {("Z", "forward")}


def test_the_frame_is_the_new_one_and_the_rest_the_sources(result: tuple[Restoration, Scan]) -> None:
    restoration, source = result
    scan = restoration.to_scan(source)
    assert scan.geometry == restoration.geometry != source.geometry
    for name in ("path", "bias_v", "setpoint_a", "line_time_s", "recorded", "comment", "header", "scan_direction"):
        assert getattr(scan, name) == getattr(source, name)
    assert scan.provenance == {"file": "scan042.sxm"}
    assert scan.notes == ("do not believe it",)
    assert len(source.channels) == 1


def test_without_a_deviation_there_is_no_such_channel(result: tuple[Restoration, Scan]) -> None:
    restoration, source = result
    scan = replace(restoration, deviation=None).to_scan(source)
    assert [c.role for c in scan.channels] == ["raw", "mask", "restored"]


def test_what_is_inferred_depends_on_task_and_trust(result: tuple[Restoration, Scan]) -> None:
    restoration, _ = result
    assert np.array_equal(restoration.inferred, ~restoration.mask.measured)
    for request in (RestoreRequest(), RestoreRequest(task="sparse", trust="consistent")):
        assert replace(restoration, request=request).inferred.all()


def test_the_residual_is_summed_up_over_measured_pixels(result: tuple[Restoration, Scan]) -> None:
    restoration, _ = result
    assert restoration.residual_rms == pytest.approx(3e-12)
    nothing = replace(restoration, residual=np.full((16, 16), np.nan))
    assert np.isnan(nothing.residual_rms)
    for scale in (1e200, 1e-180):
        images = {name: scale * getattr(restoration, name) for name in ("raw", "residual")}
        assert replace(restoration, **images).residual_rms == pytest.approx(3e-12 * scale)
    rounding = replace(restoration, residual=np.where(restoration.mask.measured, 1e-26, np.nan))
    assert rounding.residual_rms == 0
