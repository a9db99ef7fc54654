"""Matrices of numbers as text: separators, decimal commas, our own CSV and Gwyddion's export."""

from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan, save_scan
from stmviewer.scan import Channel, FileError, Geometry, Scan

from .made_scans import plain_scan, restored_scan

IMAGE = np.array([[1.5, -2.25e-3, 3, 4], [5, 6, np.nan, 8], [9, 1e-12, 11, 12]])


def opened(folder: Path, content: str | bytes, name: str = "a.csv") -> Scan:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_scan(path)


def lines(separator: str, comma: bool = False, missing: str = "nan", end: str = "\n") -> str:
    def cell(value: float) -> str:
        text = missing if np.isnan(value) else repr(float(value))
        return text.replace(".", ",") if comma else text

    return "".join(separator.join(map(cell, row)) + end for row in IMAGE)


@pytest.mark.parametrize(
    ("separator", "comma"),
    [(",", False), (", ", False), (";", False), (";", True), ("\t", False), ("\t", True), (" ", False), ("  ", True)],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_separator_and_fraction(tmp_path: Path, separator: str, comma: bool, end: str) -> None:
    scan = opened(tmp_path, lines(separator, comma, end=end))
    assert scan.geometry == Geometry.of_pixels(3, 4)
    np.testing.assert_array_equal(scan.channel().data, IMAGE)
    assert (scan.format, scan.channel().unit) == ("text", "")
    assert "lengths are in pixels" in scan.notes[0]


def test_dialects_of_spreadsheets(tmp_path: Path) -> None:
    text = lines(";", missing="")
    for content in (
        "\ufeff" + text,
        text.replace("\n", ";\n"),
        "\n\n# a comment\n" + text + "\n\n",
        text.encode("utf-16"),
        ("# Höhe\n" + text).encode("latin-1"),
        text.rstrip("\n"),
    ):
        np.testing.assert_array_equal(opened(tmp_path, content).channel().data, IMAGE)


@pytest.mark.parametrize("name", ["a.txt", "a.dat", "a.asc", "A.CSV", "a", "Tür.tsv"])
def test_the_suffix_does_not_matter(tmp_path: Path, name: str) -> None:
    np.testing.assert_array_equal(opened(tmp_path, lines("\t"), name).channel().data, IMAGE)


def test_a_line_longer_than_the_first_bytes_that_are_looked_at(tmp_path: Path) -> None:
    row = np.random.default_rng(0).normal(size=9000)
    text = ",".join(map(repr, row.tolist()))
    assert len(text) > 150_000
    np.testing.assert_array_equal(opened(tmp_path, text + "\n" + text + "\n").channel().data, [row, row])


@pytest.mark.parametrize("scan", [restored_scan(), plain_scan(np.where(IMAGE > 4, IMAGE, np.nan), unit="A")])
def test_what_convert_writes_reads_back(tmp_path: Path, scan: Scan) -> None:
    back = open_scan(save_scan(scan, tmp_path / "a.csv"))
    was = next((c for c in scan.channels if c.role == "restored"), scan.channels[0])
    (channel,) = back.channels
    assert (channel.name, channel.direction, channel.role, channel.unit) == (
        was.name,
        was.direction,
        was.role,
        was.unit,
    )
    np.testing.assert_array_equal(channel.data, was.data)
    assert back.geometry == scan.geometry
    assert (back.bias_v, back.setpoint_a) == (pytest.approx(scan.bias_v), pytest.approx(scan.setpoint_a))
    assert back.provenance == scan.provenance
    assert back.format == "stmviewer CSV"


def test_our_own_csv_without_size_or_unit_and_with_gaps_at_the_top(tmp_path: Path) -> None:
    data = np.vstack([np.full((2, 5), np.nan), np.arange(20.0).reshape(4, 5)])
    scan = plain_scan(data, unit="", geometry=Geometry.of_pixels(6, 5))
    back = open_scan(save_scan(scan, tmp_path / "a.csv"))
    assert back.geometry == scan.geometry
    np.testing.assert_array_equal(back.channel().data, data)
    never = plain_scan(np.full((3, 4), np.nan))
    assert not open_scan(save_scan(never, tmp_path / "b.csv")).channel().measured.any()


def test_our_own_csv_cut_at_any_line_is_an_error(tmp_path: Path) -> None:
    content = save_scan(plain_scan(np.arange(40.0).reshape(8, 5)), tmp_path / "a.csv").read_text().splitlines(True)
    for end in range(len(content)):
        with pytest.raises(FileError, match=r"b\.csv"):
            opened(tmp_path, "".join(content[:end]) or "\n", "b.csv")


@pytest.mark.parametrize(
    "words",
    [
        ("Channel", "Width", "Height", "Value units", "50.00 nm", "25.00 nm"),
        ("Kanal", "Breite", "Höhe", "Werteinheiten", "50,00 nm", "25,00 nm"),
        ("Channel", "Width", "Height", "Value units", "0.050 µm", "0.025 µm"),
    ],
)
def test_the_ascii_export_of_gwyddion_in_any_language(tmp_path: Path, words: tuple[str, ...]) -> None:
    channel, width, height, unit, wide, high = words
    head = f"# {channel}: Z (Backward)\n# {width}: {wide}\n# {height}: {high}\n# {unit}: m\n"
    scan = opened(tmp_path, head + lines("\t"), "a.txt")
    assert (scan.geometry.width, scan.geometry.height) == (pytest.approx(50e-9), pytest.approx(25e-9))
    assert (scan.channel("Z", "backward").unit, scan.format) == ("m", "text by Gwyddion")
    np.testing.assert_array_equal(scan.channel().data, IMAGE)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1,2,3,4\n1,2,3\n", r"line 2 has 3 values, not 4 .*commas"),
        ("1,2,3,4\n1,2,x,4\n", "line 2, column 3: 'x' is not a number"),
        ("0,1\n" * 200, "table of 2 columns and 200 lines"),
        ("0 1 5\n" * 200, "table of 3 columns.*Regularization"),
        ("Bias (V)\tCurrent (A)\n" + "1\t2\n" * 50, r"text table with the titles 'Bias \(V\)', 'Current \(A\)'"),
        ('"x","y","z","w","v"\n1,2,3,4,5\n', "titles 'x', 'y', 'z', 'w' and more"),
        ("WSxM file copyright UAM\nWSxM ASCII XYZ file\nX[nm]\tY[nm]\tZ[nm]\n\n0\t0\t1\n", "WSxM ASCII XYZ"),
        ("WSxM file copyright Nanotec\nSxM Image file\n", "a WSxM image"),
        ("1\n2\n3\n", "is not a scan"),
        ("hello world\n", "is not a scan"),
        ("# only comments\n# and more\n", "is not a scan"),
    ],
)
def test_what_is_no_image_is_named(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(FileError, match=said):
        opened(tmp_path, content, "b.dat")


def test_a_line_without_end_is_not_read_whole(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="longer than"):
        opened(tmp_path, "1," * 2_000_000)


def test_random_text_is_an_image_or_one_clear_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    alphabet = np.frombuffer(b"0123456789.,;\t\n -eE#nax\xe4\x00", dtype=np.uint8)
    opened_some = 0
    for _ in range(400):
        content = bytearray(lines("\t").encode())
        for position in rng.integers(0, len(content), 2):
            content[position] = rng.choice(alphabet)
        try:
            opened(tmp_path, bytes(content)).channel().data.sum()
            opened_some += 1
        except FileError:
            pass
    assert 0 < opened_some < 400


def test_a_channel_called_anything(tmp_path: Path) -> None:
    scan = plain_scan(IMAGE, channels=[Channel("LI: X, ü\n# y", "V", IMAGE, "backward")])
    (channel,) = open_scan(save_scan(scan, tmp_path / "a.csv")).channels
    assert channel.direction == "backward"
    np.testing.assert_array_equal(channel.data, IMAGE)
