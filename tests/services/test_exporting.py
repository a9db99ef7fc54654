"""Exports: names, formats read back, and no file written over."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmviewer.files import open_scan
from stmviewer.restore import Restoration, RestoreRequest
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Cancelled, Channel, FileError, Geometry, Progress, Scan
from stmviewer.services.exporting import EXPORT_FORMATS, default_name, export, export_job, free_path
from stmviewer.services.jobs import Context

DATA_FORMATS = ("gwy", "npz", "tif")


@pytest.fixture(scope="module")
def restored() -> tuple[Restoration, Scan]:
    y, x = np.mgrid[0:40, 0:48]
    data = 1e-10 * (np.cos(x / 3) * np.cos(y / 4) + 0.02 * x)
    source = Scan(
        [Channel("Z", "m", data, "backward")],
        Geometry(48, 40, 4.8e-9, 4.0e-9, centre=(1e-8, -2e-8)),
        path=Path("lab/scan042.sxm"),
        bias_v=-1.5,
    )
    result = restore(source, RestoreRequest(task="sparse", mask="lines:4", model="cubic"), Progress())
    return replace(result, deviation=np.full((40, 48), 1e-12)), source


def test_the_name_tells_what_is_in_it(restored: tuple[Restoration, Scan]) -> None:
    result, source = restored
    assert default_name(result, source, "gwy") == "scan042_Z-backward_sparse.gwy"
    unnamed = replace(source, path=None)
    assert default_name(replace(result, request=RestoreRequest()), unnamed, "tif") == "scan_Z-backward_repair.tif"


@settings(deadline=None, max_examples=100)
@given(channel=st.text(max_size=80))
def test_whatever_a_channel_is_called_the_name_is_a_file_name(restored: tuple[Restoration, Scan], channel: str) -> None:
    result, source = restored
    named = replace(result, channel=Channel(channel, "m", np.zeros((2, 2))))
    name = default_name(named, source, "gwy")
    assert not set(name) & set('<>:"/\\|?*\0\n\r\t')
    assert Path(name).name == name
    assert name.startswith("scan042_")
    assert name.endswith("-forward_sparse.gwy")
    assert len(name) < 120


def test_a_channel_of_any_name_can_be_exported(restored: tuple[Restoration, Scan], tmp_path: Path) -> None:
    result, source = restored
    named = replace(result, channel=Channel("../LI: X/Y (m)", "m", np.zeros((2, 2))))
    written = export(named, source, tmp_path / "out" / default_name(named, source, "npz"))
    assert written.parent == tmp_path / "out"
    assert written.is_file()


def test_a_free_path_is_the_first_that_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "scan.042.gwy"
    assert free_path(path) == path
    path.touch()
    assert free_path(path) == tmp_path / "scan.042-2.gwy"
    (tmp_path / "scan.042-2.gwy").mkdir()  # a folder takes a name too
    assert free_path(path) == tmp_path / "scan.042-3.gwy"


@pytest.mark.parametrize("form", DATA_FORMATS)
def test_data_comes_back_with_unit_and_size(form: str, restored: tuple[Restoration, Scan], tmp_path: Path) -> None:
    result, source = restored
    path = tmp_path / f"out.{form}"
    assert export(result, source, path) == path
    scan = open_scan(path)
    by_role = {c.role: c for c in scan.channels}
    assert set(by_role) == {"raw", "mask", "restored", "deviation"}
    # TIFF holds 32-bit floats
    tolerance = 1e-6 * np.ptp(result.mean) if form == "tif" else 1e-15 * np.abs(result.mean).max()
    assert np.abs(by_role["restored"].data - result.mean).max() <= tolerance
    assert np.array_equal(by_role["mask"].data > 0.5, result.mask.measured)
    assert np.array_equal(by_role["raw"].measured, result.mask.measured)
    assert by_role["restored"].unit == "m"
    assert scan.geometry.shape == (40, 48)
    assert scan.geometry.width == pytest.approx(4.8e-9, rel=1e-6)
    assert scan.geometry.height == pytest.approx(4.0e-9, rel=1e-6)
    assert scan.provenance is not None
    assert scan.provenance["model"] == "cubic"
    assert scan.provenance["request"]["mask"] == "lines:4"


@pytest.mark.parametrize("form", EXPORT_FORMATS)
def test_provenance_lies_beside_every_export(form: str, restored: tuple[Restoration, Scan], tmp_path: Path) -> None:
    result, source = restored
    path = export(result, source, tmp_path / f"out.{form}")
    assert path.name == ("out_restored.sxm" if form == "sxm" else f"out.{form}")
    facts = json.loads((tmp_path / f"{path.name}.provenance.json").read_text(encoding="utf-8"))
    assert facts["file"] == "scan042.sxm"
    assert facts["scores"][0]["method"] == "cubic"
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, f"{path.name}.provenance.json"]


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_figures_are_what_their_suffix_says(
    form: str, begins: bytes, restored: tuple[Restoration, Scan], tmp_path: Path
) -> None:
    result, source = restored
    content = export(result, source, tmp_path / f"out.{form.upper()}").read_bytes()
    assert content.startswith(begins)
    assert len(content) > 5000


@pytest.mark.parametrize("name", ["raw.npz", "raw.sxm", "other.3ds"])
def test_raw_files_are_never_written_over(name: str, restored: tuple[Restoration, Scan], tmp_path: Path) -> None:
    result, source = restored
    path = tmp_path / name
    path.write_bytes(b"as measured")
    with pytest.raises(FileError, match="never written over"):
        export(result, replace(source, path=tmp_path / "raw.npz"), path)
    assert path.read_bytes() == b"as measured"


def test_a_nanonis_file_holds_every_raw_channel_as_measured_beside_the_restored_one(
    restored: tuple[Restoration, Scan], tmp_path: Path
) -> None:
    result, source = restored
    current = Channel("Current", "A", np.full((40, 48), np.float32(1e-10)))
    source = replace(source, channels=[*source.channels, current])
    name = default_name(result, source, "sxm")
    assert name == "scan042_Z-backward_sparse_restored.sxm"
    path = export(result, source, tmp_path / name)
    assert path == tmp_path / name
    scan = open_scan(path)
    assert [(c.label, c.role) for c in scan.channels] == [
        ("Z backward", "raw"),
        ("Current forward", "raw"),
        ("Z backward", "mask"),
        ("Z backward", "restored"),
        ("Z backward", "deviation"),
    ]
    # hidden from the model, not from the file
    assert scan.channels[0].measured.all()
    assert np.array_equal(scan.channels[2].data > 0.5, result.mask.measured)
    assert np.array_equal(scan.channels[3].data, result.mean.astype(np.float32))
    # other pixels than the raw file: the raw channel as it was given to the model
    other = replace(source, geometry=replace(source.geometry, height=8e-9))
    hidden = open_scan(export(result, other, tmp_path / "b.sxm")).channels[0]
    assert hidden.role == "raw"
    assert not hidden.measured.all()


def test_a_figure_loses_its_label_only_when_told(
    restored: tuple[Restoration, Scan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("matplotlib").rcParams, "svg.fonttype", "none")
    result, source = restored
    assert "restored, 25 % measured" in export(result, source, tmp_path / "a.svg").read_text(encoding="utf-8")
    text = export(result, source, tmp_path / "b.svg", label=False).read_text(encoding="utf-8")
    assert "restored" not in text
    assert "Z backward" in text


def test_unknown_formats_are_refused(restored: tuple[Restoration, Scan], tmp_path: Path) -> None:
    with pytest.raises(FileError, match="not one that stmviewer writes"):
        export(*restored, tmp_path / "out.docx")
    assert list(tmp_path.iterdir()) == []


def test_the_job_exports_unless_it_is_cancelled(restored: tuple[Restoration, Scan], tmp_path: Path) -> None:
    import threading

    job = export_job(*restored, tmp_path / "out.npz")
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        job(Context(Progress(stop=stop), lambda _: None))
    assert list(tmp_path.iterdir()) == []
    assert job(Context(Progress(), lambda _: None)) == tmp_path / "out.npz"
    assert (tmp_path / "out.npz").is_file()
