"""Converting: what is found in folders, where it goes, and that one failure costs the others nothing."""

import threading
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import file_sha256, open_scan, save_scan
from stmviewer.files.calibration import Calibration
from stmviewer.scan import Cancelled, Channel, FileError, Geometry, Progress, RequestError, Scan
from stmviewer.services import converting
from stmviewer.services.converting import FORMATS, ConvertRequest, Found, convert, convert_all, find_scans


def made(path: Path, value: float = 1.0, **facts: object) -> Path:
    """A .gwy file of Z and Current, forward and backward."""
    image = value + np.arange(12.0).reshape(3, 4)
    channels = [
        Channel(name, unit, image * k, direction)
        for k, (name, unit) in enumerate([("Z", "m"), ("Current", "A")], 1)
        for direction in ("forward", "backward")
    ]
    return save_scan(Scan(channels, Geometry(4, 3, 4e-9, 3e-9), **facts), path)


def test_folders_are_searched_to_the_bottom_and_keep_their_tree(tmp_path: Path) -> None:
    for name in ("b.gwy", "sub/deep/a.gwy", "sub/c.GWY", ".hidden.gwy"):
        made(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("no scan")
    found = find_scans(tmp_path / "in", tmp_path / "out")
    assert [(one.file.name, one.below) for one in found] == [
        ("b.gwy", Path()),
        ("c.GWY", Path("sub")),
        ("a.gwy", Path("sub/deep")),
    ]
    assert find_scans(tmp_path / "in" / "b.gwy", tmp_path / "out") == [Found(tmp_path / "in" / "b.gwy")]


def test_what_was_converted_before_is_no_input(tmp_path: Path) -> None:
    made(tmp_path / "a.gwy")
    made(tmp_path / "out" / "a.gwy")
    assert [one.file for one in find_scans(tmp_path, tmp_path / "out")] == [tmp_path / "a.gwy"]
    # but scans may be converted into their own folder
    assert len(find_scans(tmp_path, tmp_path)) == 2


def test_a_link_that_leads_back_up_is_not_followed(tmp_path: Path) -> None:
    made(tmp_path / "in" / "a.gwy")
    (tmp_path / "in" / "up").symlink_to(tmp_path / "in")
    assert len(find_scans(tmp_path / "in", tmp_path / "out")) == 1


def test_nothing_to_convert_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file or folder"):
        find_scans(tmp_path / "gone", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="hold a scan"):
        find_scans(tmp_path / "empty", tmp_path)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_written_with_where_it_came_from(form: str, tmp_path: Path) -> None:
    file = made(tmp_path / "a.gwy")
    done = convert(Found(file, Path("sub")), ConvertRequest(form, tmp_path / "out"))
    name = "a_converted.sxm" if form == "sxm" else f"a.{form}"
    assert done.written == tmp_path / "out" / "sub" / name
    assert done.channels == (4 if form in ("gwy", "sxm", "tif", "h5") else 1)
    beside = (tmp_path / "out" / "sub" / f"{name}.provenance.json").read_text(encoding="utf-8")
    assert file_sha256(file) in beside
    if form in ("gwy", "sxm", "tif"):
        back = open_scan(done.written)
        assert [(c.label, c.unit) for c in back.channels] == [(c.label, c.unit) for c in open_scan(file).channels]
        assert back.geometry.width == pytest.approx(4e-9)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    file = made(tmp_path / "a.gwy")
    for form, names in (("npz", ["a.npz", "a-2.npz"]), ("sxm", ["a_converted.sxm", "a_converted-2.sxm"])):
        request = ConvertRequest(form, tmp_path / form)
        written = [convert(Found(file), request).written for _ in names]
        assert [path.name for path in written if path] == names
    # into its own folder and format: beside it
    before = file.read_bytes()
    assert convert(Found(file), ConvertRequest("gwy", tmp_path)).written == tmp_path / "a-2.gwy"
    assert file.read_bytes() == before


def test_one_channel_or_direction_alone(tmp_path: Path) -> None:
    file = made(tmp_path / "a.gwy")

    def labels(channel: str | None, direction: str | None) -> list[str]:
        request = ConvertRequest("gwy", tmp_path / "out", channel, direction)  # type: ignore[arg-type]
        written = convert(Found(file), request).written
        assert written is not None
        return [c.label for c in open_scan(written).channels]

    assert labels("current", None) == ["Current forward", "Current backward"]
    assert labels(None, "backward") == ["Z backward", "Current backward"]
    assert labels("Z", "backward") == ["Z backward"]
    with pytest.raises(RequestError, match="no channel 'Phase'"):
        labels("Phase", None)
    # a matrix of numbers knows which it is
    written = convert(Found(file), ConvertRequest("npz", tmp_path, "Current", "backward")).written
    assert written is not None
    assert [c.label for c in open_scan(written).channels if c.role == "raw"] == ["Current backward"]


def test_the_provenance_of_a_restoration_is_kept(tmp_path: Path) -> None:
    file = made(tmp_path / "a.gwy", provenance={"model": "cubic"})
    written = convert(Found(file), ConvertRequest("tif", tmp_path)).written
    assert written is not None
    assert open_scan(written).provenance == {"model": "cubic"}


def test_failures_and_faults_do_not_stop_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.gwy").write_bytes(b"GWYP broken")
    good = [made(tmp_path / name) for name in ("a.gwy", "z.gwy", "fault.gwy")]
    real = converting.open_calibrated

    def breaking(path: Path, said: Calibration | None) -> tuple[Scan, ...]:
        if path.name == "fault.gwy":
            raise ZeroDivisionError
        return real(path, said)

    monkeypatch.setattr(converting, "open_calibrated", breaking)
    seen: list[str] = []
    files = [good[0], tmp_path / "bad.gwy", good[2], good[1]]
    done = list(
        convert_all(
            [Found(file) for file in files],
            ConvertRequest("npz", tmp_path / "out"),
            Progress(lambda advance: seen.append(advance.step)),
        )
    )
    assert [type(one.error) for one in done] == [type(None), FileError, ZeroDivisionError, type(None)]
    assert list(dict.fromkeys(seen)) == [f"{k} of 4 {file.name}" for k, file in enumerate(files, 1)]
    assert sorted(p.name for p in (tmp_path / "out").glob("*.npz")) == ["a.npz", "z.npz"]


def test_cancelling_stops_between_files(tmp_path: Path) -> None:
    files = [made(tmp_path / f"{k}.gwy") for k in range(3)]
    stop = threading.Event()
    work = convert_all([Found(f) for f in files], ConvertRequest("npz", tmp_path / "out"), Progress(stop=stop))
    assert next(work).written is not None
    stop.set()
    with pytest.raises(Cancelled):
        next(work)
    assert [p.name for p in (tmp_path / "out").glob("*.npz")] == ["0.npz"]
