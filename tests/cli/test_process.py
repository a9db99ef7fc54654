"""`--process`: seen, exported and replayed are the same."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.files.history import load_history, save_history
from stmviewer.restore import RestoreRequest
from stmviewer.scan import Channel, FileError, History, RequestError, Scan
from stmviewer.scan.processing.scans import processed

from .outcome import Outcome
from .scans import write

Run = Callable[..., Outcome]
STEPS = "plane:all; align-rows:median; crop:4,5,30,24"


def expected(path: Path, steps: str = STEPS) -> np.ndarray:
    scan = open_scan(path)
    return processed(scan, scan.channel(), History.from_text(steps))[1].data


def roles(scan: Scan) -> list[str]:
    return [channel.role for channel in scan.channels]


def test_convert_writes_the_processed_channel_and_says_how(run: Run, scan_file: Path, tmp_path: Path) -> None:
    run("convert", scan_file, "--process", STEPS, "--format", "gwy", "-o", tmp_path / "out").done()
    made = tmp_path / "out" / "scan.gwy"
    scan = open_scan(made)
    assert roles(scan) == ["processed"]
    assert np.array_equal(scan.channels[0].data, expected(scan_file))
    assert (scan.geometry.columns, scan.geometry.rows) == (30, 24)
    assert scan.geometry.width == pytest.approx(3e-9)
    beside = json.loads(made.with_name("scan.gwy.provenance.json").read_text())
    assert [step["name"] for step in beside["steps"]] == ["plane", "align-rows", "crop"]
    assert beside["steps"][1]["parameters"] == {"method": "median", "degree": 1}


def test_what_fits_is_written_beside_what_was_measured(run: Run, scan_file: Path, tmp_path: Path) -> None:
    for form in ("gwy", "tif", "h5", "sxm"):
        run("convert", scan_file, "--process", "plane", "--format", form, "-o", tmp_path / form).done()
    assert (tmp_path / "sxm" / "scan_processed.sxm").is_file()
    for path in (tmp_path / "gwy" / "scan.gwy", tmp_path / "tif" / "scan.tif"):
        scan = open_scan(path)
        assert sorted(roles(scan)) == ["processed", "raw"]
        (made,) = (c for c in scan.channels if c.role == "processed")
        assert made.data == pytest.approx(expected(scan_file, "plane"), abs=1e-16)


def test_the_steps_of_an_earlier_result_are_replayed(run: Run, scan_file: Path, tmp_path: Path) -> None:
    run("convert", scan_file, "--process", STEPS, "--format", "npz", "-o", tmp_path / "a").done()
    facts = tmp_path / "a" / "scan.npz.provenance.json"
    run("convert", scan_file, "--process", facts, "--format", "npz", "-o", tmp_path / "b").done()
    first, second = (np.load(tmp_path / name / "scan.npz") for name in "ab")
    assert np.array_equal(first["processed"], second["processed"])
    assert np.array_equal(first["processed"], expected(scan_file))
    assert "raw" not in first


def test_a_restoration_begins_with_the_steps(run: Run, scan_file: Path, tmp_path: Path) -> None:
    asked = ("--task", "sparse", "--mask", "lines:2", "--model", "linear")
    run("restore", scan_file, *asked, "--process", STEPS, "-o", tmp_path / "out").done()
    (made,) = (tmp_path / "out").glob("*.gwy")
    scan = open_scan(made)
    assert roles(scan)[:3] == ["processed", "mask", "restored"]
    given = scan.channels[0].data
    assert np.array_equal(given[np.isfinite(given)], expected(scan_file)[np.isfinite(given)])
    assert scan.provenance is not None
    assert scan.provenance["request"]["process"] == STEPS


def test_marked_pixels_are_filled(run: Run, scan_file: Path, tmp_path: Path) -> None:
    run(
        "restore", scan_file, "--task", "sparse", "--mask", "file", "--model", "linear",
        "--process", "mask-rectangle:10,10,12,9", "--format", "npz", "-o", tmp_path,
    ).done()  # fmt: skip
    (made,) = tmp_path.glob("*.npz")
    arrays = np.load(made)
    assert (~arrays["measured"]).sum() == 108
    assert np.isfinite(arrays["restored"]).all()


def test_the_command_line_of_a_request_says_the_steps() -> None:
    request = RestoreRequest(process="plane; crop:1,2,30,40")
    assert "--process 'plane; crop:1,2,30,40'" in request.command("scan.sxm")
    assert RestoreRequest.from_json(request.to_json()) == request
    assert "--process" not in RestoreRequest().command("scan.sxm")
    with pytest.raises(RequestError, match="'dance' is unknown"):
        RestoreRequest(process="dance")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("dance", "processing step 'dance' is unknown"),
        ("crop:0,0,4000,4", "is not inside the image of 48 x 40 pixels"),
        ("mask-rectangle:0,0,48,40", "every pixel would be marked as not measured"),
        ("polynomial:2,12; crop:0,0,40,3; polynomial:1,5", "processing step 3 (polynomial): a polynomial of order 5"),
        ("nothing.json", "there.json"),
    ],
)
def test_steps_that_cannot_be_done_are_refused(
    run: Run, scan_file: Path, tmp_path: Path, steps: str, message: str
) -> None:
    if steps == "nothing.json":
        steps, message = str(tmp_path / "there.json"), "there.json: cannot be read"
    run("convert", scan_file, "--process", steps, "--format", "gwy", "-o", tmp_path / "out").refused(message)


def test_histories_in_files(tmp_path: Path) -> None:
    path = save_history(History.from_text(STEPS), tmp_path / "steps.json")
    assert load_history(path) == History.from_text(STEPS)
    wrong = '{"steps": [{"name": "crop", "parameters": {"x": 1}}]}'
    for text in ("{}", "[1]", "{", '{"steps": [{"name": "dance"}]}', wrong):
        path.write_text(text)
        with pytest.raises(FileError, match=r"steps\.json"):
            load_history(path)


def test_both_directions_are_there(tmp_path: Path) -> None:
    scan = open_scan(write(tmp_path / "scan.gwy"))
    backward = Channel("Z", "m", scan.channels[0].data + 1e-9, "backward")
    both = Scan([*scan.channels, backward], scan.geometry)
    made, channel = processed(both, both.channel(), History.from_text("crop:0,0,20,20"))
    assert [(c.role, c.direction) for c in made.channels] == [("processed", "forward"), ("processed", "backward")]
    assert made.channels[0] is channel
    assert made.channels[1].data == pytest.approx(channel.data + 1e-9)
    again, _ = processed(made, channel, History.from_text("crop:0,0,10,10"))
    assert again.geometry.columns == 10
    assert processed(both, both.channel(), History()) == (both, both.channel())
