import json
import os
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.files.source import Source
from stmviewer.scan import Cancelled, Channel, FileError, Geometry, Progress, Scan
from stmviewer.services import events
from stmviewer.services.jobs import JobRunner
from stmviewer.services.thumbnail_cache import ThumbnailCache
from stmviewer.services.thumbnails import (
    ThumbnailRequest,
    in_order,
    make_thumbnail,
    resampled,
    thumbnails,
    thumbnails_job,
)

PATH = Path("scan.npy")


def _scan(*channels: Channel, width: float = 1e-8, height: float = 1e-8) -> Scan:
    rows, columns = channels[0].data.shape
    return Scan(channels, Geometry(columns, rows, width, height), PATH)


def _saved(folder: Path, name: str, rows: int = 40, columns: int = 50, seed: int = 0) -> Path:
    path = folder / name
    np.save(path, np.random.default_rng(seed).normal(size=(rows, columns)))
    return path


def test_a_thumbnail_is_levelled_and_as_the_scan_is_seen() -> None:
    y, x = np.mgrid[0:64, 0:64]
    bump = np.exp(-((x - 16) ** 2 + (y - 8) ** 2) / 20) * 1e-9
    found = make_thumbnail(_scan(Channel("Z", "m", bump + 3e-11 * x - 5e-11 * y)), ThumbnailRequest(32))
    assert (found.image.shape, found.label, found.fault) == ((32, 32), "Z forward", "")
    row, column = np.argwhere(found.image > 200).mean(axis=0)
    assert (row, column) == (pytest.approx(4, abs=1), pytest.approx(8, abs=1))
    assert found.image.min() >= 1
    far = found.image[16:, 16:].astype(int)
    assert far.max() - far.min() < 40  # the tilt is gone


@pytest.mark.parametrize(
    ("width", "height", "shape"), [(1e-8, 5e-9, (20, 40)), (5e-9, 1e-8, (40, 20)), (1e-8, 1e-10, (5, 40))]
)
def test_it_has_the_proportions_of_the_frame_and_not_of_the_pixels(
    width: float, height: float, shape: tuple[int, int]
) -> None:
    data = np.random.default_rng(0).normal(size=(30, 30))
    scan = _scan(Channel("Z", "m", data), width=width, height=height)
    assert make_thumbnail(scan, ThumbnailRequest(40)).image.shape == shape


def test_what_was_not_measured_is_zero_and_nothing_else() -> None:
    data = np.random.default_rng(0).normal(size=(40, 40))
    data[20:] = np.nan
    image = make_thumbnail(_scan(Channel("Z", "m", data)), ThumbnailRequest(20)).image
    assert image[:10].all() and not image[10:].any()
    assert not make_thumbnail(_scan(Channel("Z", "m", data * np.nan)), ThumbnailRequest(20)).image.any()


def test_channel_and_direction_are_those_asked_for_or_the_topography() -> None:
    data = np.random.default_rng(0).normal(size=(8, 8))
    scan = _scan(Channel("Z", "m", data), Channel("Z", "m", data, "backward"), Channel("Current", "A", data))
    for channel, direction, label in (
        (None, None, "Z forward"),
        (None, "backward", "Z backward"),
        ("current", "backward", "Current forward"),
        ("Phase", "backward", "Z forward"),
    ):
        assert make_thumbnail(scan, ThumbnailRequest(8, channel, direction)).label == label


def test_at_constant_height_the_current_is_shown() -> None:
    data = np.random.default_rng(0).normal(size=(8, 8))
    flat = np.full((8, 8), -7.3e-8)
    channels = Channel("Z", "m", flat), Channel("Bias", "V", data), Channel("Current", "A", data)
    assert make_thumbnail(_scan(*channels), ThumbnailRequest(8)).label == "Current forward"
    found = make_thumbnail(_scan(channels[0]), ThumbnailRequest(8))
    assert found.label == "Z forward" and np.ptp(found.image) == 0


def test_means_of_what_is_measured() -> None:
    image = np.array([[1.0, np.nan, 5.0, 7.0], [3.0, np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(resampled(image, 1, 2), [[2.0, 6.0]])
    np.testing.assert_array_equal(resampled(image, 2, 2), [[1.0, 6.0], [3.0, np.nan]])
    np.testing.assert_array_equal(resampled(image[:, :1], 4, 2), [[1, 1], [1, 1], [3, 3], [3, 3]])


def test_few_lines_are_read_of_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _saved(tmp_path, "large.npy", 1024, 512)
    read = []
    lines = Source.lines

    def counted(self: Source, offset: int, dtype: object, columns: int, which: range) -> object:
        read.extend(which)
        return lines(self, offset, dtype, columns, which)  # type: ignore[arg-type]

    monkeypatch.setattr(Source, "lines", counted)
    monkeypatch.setattr(Source, "array", lambda *_: pytest.fail("the whole image was read"))
    (found,) = thumbnails([path], ThumbnailRequest(64), Progress())
    assert found.image.shape == (64, 32)
    assert read == list(range(8, 1024, 16))


def test_files_that_cannot_be_shown_say_why_and_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.sxm").write_bytes(b"nothing")
    files = [tmp_path / "bad.sxm", tmp_path / "gone.npy", _saved(tmp_path, "good.npy")]
    bad, gone, good = thumbnails(files, ThumbnailRequest(16), Progress(), ThumbnailCache(tmp_path / "cache"))
    assert "is not a scan" in bad.fault and "no such file" in gone.fault and not good.fault
    assert bad.image.size == 0 and good.image.size > 0


def test_a_fault_of_ours_in_one_file_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [_saved(tmp_path, f"{k}.npy") for k in range(2)]

    def fail(path: Path) -> Scan:
        if path == files[0]:
            raise ZeroDivisionError("oh")
        return open_scan(path)

    monkeypatch.setattr("stmviewer.services.thumbnails.open_scan", fail)
    bad, good = thumbnails(files, ThumbnailRequest(16), Progress())
    assert "a fault of stmviewer: oh" in bad.fault and good.image.size


def test_they_are_made_one_by_one_and_can_be_cancelled(tmp_path: Path) -> None:
    files = [_saved(tmp_path, f"{k}.npy") for k in range(3)] + [tmp_path / "gone.npy"]
    progress = Progress()
    stream = thumbnails(files, ThumbnailRequest(16), progress)
    assert next(stream).path == files[0]
    progress._root.stop.set()
    with pytest.raises(Cancelled):
        next(stream)


def test_the_order_is_by_name_or_the_newest_first(tmp_path: Path) -> None:
    files = [_saved(tmp_path, f"{name}.npy") for name in "bca"]
    for age, path in enumerate(files):
        os.utime(path, (1e9 - age, 1e9 - age))
    gone = tmp_path / "aa.npy"
    assert [p.stem for p in in_order([*files, gone], "name")] == ["a", "aa", "b", "c"]
    assert [p.stem for p in in_order([gone, *reversed(files)], "newest")] == ["b", "c", "a", "aa"]


class TestCache:
    def test_what_was_made_once_is_not_read_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = _saved(tmp_path, "a.npy")
        request = ThumbnailRequest(16)
        (made,) = thumbnails([path], request, Progress(), ThumbnailCache(tmp_path / "cache"))
        monkeypatch.setattr("stmviewer.services.thumbnails.open_scan", lambda _: pytest.fail("read again"))
        (kept,) = thumbnails([path], request, Progress(), ThumbnailCache(tmp_path / "cache"))
        np.testing.assert_array_equal(kept.image, made.image)
        assert (kept.path, kept.label) == (made.path, made.label)

    def test_another_content_channel_or_size_is_another_thumbnail(self, tmp_path: Path) -> None:
        cache = ThumbnailCache(tmp_path / "cache")
        path = _saved(tmp_path, "a.npy")
        (first,) = thumbnails([path], ThumbnailRequest(16), Progress(), cache)
        (larger,) = thumbnails([path], ThumbnailRequest(20), Progress(), cache)
        assert larger.image.shape != first.image.shape
        _saved(tmp_path, "a.npy", seed=1)
        os.utime(path, ns=(1, 1))
        (changed,) = thumbnails([path], ThumbnailRequest(16), Progress(), cache)
        assert (changed.image != first.image).any()
        assert cache.key(path, "Z") != cache.key(path, "Current")

    @pytest.mark.parametrize("content", [b"", b"{}\n", b'{"shape": [2, 2], "label": ""}\n123', b"\xff\n", b"[" * 9999])
    def test_a_damaged_file_is_made_anew(self, tmp_path: Path, content: bytes) -> None:
        cache = ThumbnailCache(tmp_path / "cache")
        path = _saved(tmp_path, "a.npy")
        (made,) = thumbnails([path], ThumbnailRequest(16), Progress(), cache)
        (file,) = (tmp_path / "cache").iterdir()
        file.write_bytes(content)
        (again,) = thumbnails([path], ThumbnailRequest(16), Progress(), ThumbnailCache(tmp_path / "cache"))
        np.testing.assert_array_equal(again.image, made.image)
        assert json.loads(file.read_bytes().partition(b"\n")[0])["label"] == "Height forward"

    def test_a_folder_that_cannot_be_written_costs_nothing_but_time(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"in the way")
        (made,) = thumbnails(
            [_saved(tmp_path, "a.npy")], ThumbnailRequest(16), Progress(), ThumbnailCache(tmp_path / "file")
        )
        assert made.image.size and not made.fault

    def test_the_oldest_go_where_there_are_too_many(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stmviewer.services.thumbnail_cache._ON_DISK", 2)
        files = [_saved(tmp_path, f"{k}.npy") for k in range(4)]
        for path in files:  # each as a process of its own, which tidies at its first
            list(thumbnails([path], ThumbnailRequest(16), Progress(), ThumbnailCache(tmp_path / "cache")))
        assert len(list((tmp_path / "cache").iterdir())) == 2


def test_the_job_emits_each_as_it_is_made(tmp_path: Path) -> None:
    files = [_saved(tmp_path, f"{k}.npy") for k in range(3)]
    runner = JobRunner("test")
    try:
        runner.submit("Thumbnails", thumbnails_job(files, ThumbnailRequest(16), ThumbnailCache(None)))
        got = [event for _, event in runner.wait()]
    finally:
        runner.close()
    assert [event.path for event in got if isinstance(event, events.Thumbnail)] == files
    assert got[-1] == events.Finished(3)


def test_a_file_that_was_cut_after_opening_is_a_fault(tmp_path: Path) -> None:
    source = Source.of(_saved(tmp_path, "a.npy"))
    with pytest.raises(FileError, match="ends within line 40"):
        source.lines(128, "<f8", 50, [0, 40])
