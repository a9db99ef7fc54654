"""What files of every format go through: names, slow shares, sizes. Quirks of one format are in its own test."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import kind_of, open_parts, open_scan, read_grid, read_spectrum
from stmviewer.files.source import Source, read_error
from stmviewer.scan import FileError

from .fuzz.seeds import MADE, put, seeds
from .make_sxm import sxm_bytes, two_channels


def whole_files(folder: Path, kind: str) -> Iterator[Path]:
    """The made files of a format, one after the other under the same name."""
    for name, content in seeds(kind)[: len(MADE[kind])]:
        yield put(folder, kind, name, content)


def read(path: Path) -> list[np.ndarray]:
    """Everything in a file, as arrays."""
    match kind_of(path):
        case "dat":
            spectrum = read_spectrum(path)
            return [spectrum.sweep.data, *(c.data for c in spectrum.channels)]
        case "3ds":
            grid = read_grid(path)
            return [*(c.data for c in grid.channels), *(c.data for c in grid.parameters)]
        case _:
            return [channel.data for part in open_parts(path) for channel in part.channels]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    assert len(one) == len(other)
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", MADE)
def test_upper_case_suffix_and_unicode_folder(tmp_path: Path, kind: str) -> None:
    strange = tmp_path / "Prøve µ 走査 (1)" / "été"
    strange.mkdir(parents=True)
    for path in whole_files(tmp_path, kind):
        expected = read(path)
        for parameters in tmp_path.glob("*_0001.mtrx"):
            (strange / parameters.name).write_bytes(parameters.read_bytes())
        name = path.name.replace("_mtrx", "_MTRX") if kind == "mtrx" else f"Ü {path.stem}{path.suffix.upper()}"
        moved = strange / name
        moved.write_bytes(path.read_bytes())
        same(read(moved), expected)


class Share(io.RawIOBase):
    """A file on a slow share: it gives a piece at a time, and counts how often it is asked."""

    asked = 0

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        Share.asked += 1
        return self._file.readinto(memoryview(buffer)[:3000])

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def on_a_share(source: Source) -> Iterator[io.BufferedReader]:
    try:
        with io.BufferedReader(Share(source.path)) as file:
            yield file
    except OSError as error:
        raise read_error(source.path, error) from error


@pytest.mark.parametrize("kind", MADE)
def test_a_share_that_gives_a_piece_at_a_time(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short reads change nothing, and nobody asks for single values: each answer takes its time."""
    for path in whole_files(tmp_path, kind):
        expected = read(path)
        with monkeypatch.context() as patch:
            patch.setattr(Source, "open", on_a_share)
            Share.asked = 0
            arrays = read(path)
        same(arrays, expected)
        pieces = path.stat().st_size // 3000 + 1
        assert Share.asked <= 40 * (len(arrays) + 1) + 4 * pieces * (len(arrays) + 1)


def test_a_share_that_goes_away_while_a_channel_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.sxm"
    path.write_bytes(sxm_bytes(two_channels()))
    scan = open_scan(path)

    def gone(*_: object) -> int:
        raise OSError(112, "Host is down")

    monkeypatch.setattr(Share, "readinto", gone)
    monkeypatch.setattr(Source, "open", on_a_share)
    with pytest.raises(FileError, match=r"a\.sxm: cannot be read \(Host is down\)"):
        _ = scan.channel().data


def test_of_twelve_large_channels_the_header_and_the_shown_one_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4096 x 4096 pixels, 12 channels: 800 MB, of which opening and showing read 64. (The file is sparse on disk.)"""
    side, channels = 4096, 12
    table = "\tChannel\tName\tUnit\tDirection\tCalibration\tOffset"
    table += "".join(f"\n\t{k}\tChannel_{k}\tV\tforward\t1.0\t0.0" for k in range(channels - 1))
    table += f"\n\t{channels - 1}\tZ\tm\tforward\t1.0\t0.0\n"
    head = sxm_bytes(two_channels(), fields={"SCAN_PIXELS": f"{side} {side}", "DATA_INFO": table})
    start = head.index(b"\x1a\x04") + 2
    image = side * side * 4
    path = tmp_path / "large.sxm"
    with path.open("wb") as file:
        file.write(head[:start])
        file.seek(start + (channels - 1) * image)
        file.write(np.array([1.5, -2.5], dtype=">f4").tobytes())
        file.truncate(start + channels * image)
    taken: list[int] = []
    original = Source.array

    def array(self: Source, offset: int, dtype: object, count: int) -> np.ndarray:
        taken.append(count)
        return original(self, offset, dtype, count)  # type: ignore[arg-type]

    monkeypatch.setattr(Source, "array", array)
    scan = open_scan(path)
    assert len(scan.channels) == channels
    assert sum(taken) <= side  # one line, to see whether the scan was finished
    shown = scan.channel()
    assert (shown.name, shown.data[0, 0], shown.data[0, 1], shown.data[-1, -1]) == ("Z", 1.5, -2.5, 0.0)
    assert sum(taken) <= side + side * side
