import contextlib
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from stmviewer.files import open_parts, open_scan
from stmviewer.scan import FileError

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 65535, (7, 9)).astype(np.uint16)
COLOUR = RNG.integers(0, 255, (7, 9, 3)).astype(np.uint8)
BRIGHTNESS = COLOUR @ np.array([0.299, 0.587, 0.114])


@pytest.mark.parametrize("dtype", ["f4", ">f8", "u1", "i2", "<i8", "f2", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_any_real_type_and_order(tmp_path: Path, dtype: str, order: Any) -> None:
    array = np.array(GREY[:5] % 2 if dtype == "?" else GREY[:5] % 100, dtype=dtype, order=order)
    np.save(tmp_path / "a.npy", array)
    scan = open_scan(tmp_path / "a.npy")
    np.testing.assert_array_equal(scan.channel().data, array.astype(float))
    assert scan.channel().unit == ""
    assert not scan.geometry.calibrated
    assert any("size is unknown" in note for note in scan.notes)


def test_npy_nan_and_infinity_are_not_measured(tmp_path: Path) -> None:
    array = np.arange(12.0).reshape(3, 4)
    array[0, 0], array[1, 1], array[2, 2] = np.nan, np.inf, -np.inf
    np.save(tmp_path / "a.npy", array)
    measured = open_scan(tmp_path / "a.npy").channel().measured
    assert measured.sum() == 9
    assert not measured[[0, 1, 2], [0, 1, 2]].any()


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((2, 3, 4)), "3 dimensions"),
        (np.zeros(5), "1 dimensions"),
        (np.zeros((2, 2), complex), "complex"),
        (np.array([[{}, []]], dtype=object), "Python objects"),
        (np.array([["a"]]), "type"),
        (np.zeros((0, 4)), "empty"),
    ],
)
def test_npy_that_is_no_image(tmp_path: Path, array: Any, said: str) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(FileError, match=said):
        open_scan(tmp_path / "a.npy")


def test_npy_truncated_anywhere(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", GREY)
    content = (tmp_path / "a.npy").read_bytes()
    for end in range(1, len(content)):
        (tmp_path / "b.npy").write_bytes(content[:end])
        with pytest.raises(FileError):
            open_scan(tmp_path / "b.npy")


def test_npy_that_claims_the_moon_is_refused_before_allocating(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((10, 10)))
    content = (tmp_path / "a.npy").read_bytes()
    assert content.count(b"(10, 10), }      ") == 1
    for claim, said in ((b"(90000, 90000), }", "claims"), (b"(9999, 9999), }  ", "truncated")):
        (tmp_path / "b.npy").write_bytes(content.replace(b"(10, 10), }      ", claim))
        with pytest.raises(FileError, match=said):
            open_scan(tmp_path / "b.npy")


def _png(path: Path, picture: Image.Image, **options: Any) -> Any:
    picture.save(path, **options)
    return open_scan(path)


def test_png_grey_keeps_its_values(tmp_path: Path) -> None:
    for name, values in (("8", (GREY % 256).astype(np.uint8)), ("16", GREY)):
        scan = _png(tmp_path / f"{name}.png", Image.fromarray(values))
        np.testing.assert_array_equal(scan.channel().data, values)
        assert len(scan.notes) == 1


def test_png_colours_become_brightness_with_a_note(tmp_path: Path) -> None:
    scan = _png(tmp_path / "c.png", Image.fromarray(COLOUR))
    np.testing.assert_allclose(scan.channel().data, BRIGHTNESS, rtol=1e-12)
    assert any("brightness" in note for note in scan.notes)
    palette = Image.fromarray(COLOUR).quantize(16)
    np.testing.assert_allclose(
        _png(tmp_path / "p.png", palette).channel().data,
        np.asarray(palette.convert("RGB")) @ np.array([0.299, 0.587, 0.114]),
        rtol=1e-12,
    )


def test_png_grey_saved_as_colour_is_grey(tmp_path: Path) -> None:
    grey = (GREY % 256).astype(np.uint8)
    scan = _png(tmp_path / "g.png", Image.fromarray(np.stack([grey] * 3, axis=-1)))
    np.testing.assert_array_equal(scan.channel().data, grey)
    assert len(scan.notes) == 1


def test_png_transparent_pixels_are_not_measured(tmp_path: Path) -> None:
    alpha = np.full((7, 9), 255, np.uint8)
    alpha[2:4, 3] = 0
    scan = _png(tmp_path / "a.png", Image.fromarray(np.dstack([COLOUR, alpha])))
    np.testing.assert_array_equal(scan.channel().measured, alpha > 0)


def test_png_truncated_anywhere(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "c.png")
    content = (tmp_path / "c.png").read_bytes()
    whole = open_scan(tmp_path / "c.png").channel().data
    opened = []
    for end in range(1, len(content)):
        (tmp_path / "b.png").write_bytes(content[:end])
        try:
            # without its checksum or end mark the picture is still whole
            np.testing.assert_array_equal(open_scan(tmp_path / "b.png").channel().data, whole)
            opened.append(end)
        except FileError:
            pass
    assert len(opened) < 24


def test_png_bomb_is_refused_before_unpacking(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    side = (15000).to_bytes(4, "big")
    header = chunk(b"IHDR", side + side + bytes([8, 0, 0, 0, 0]))
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 99)))
    with pytest.raises(FileError, match=r"unpack|exceeds"):
        open_scan(tmp_path / "b.png")


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", "u2", "i2"])
def test_tiff_grey_of_any_type(tmp_path: Path, dtype: str) -> None:
    values = (GREY % 200).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    scan = open_scan(tmp_path / "a.tif")
    np.testing.assert_array_equal(scan.channel().data, values)
    assert not scan.geometry.calibrated


def test_tiff_colours_in_every_layout(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "0.tif", COLOUR, photometric="rgb")
    tifffile.imwrite(tmp_path / "1.tif", np.moveaxis(COLOUR, -1, 0), photometric="rgb", planarconfig="separate")
    Image.fromarray(COLOUR).save(tmp_path / "2.tif", compression="tiff_lzw")
    for number in range(3):
        scan = open_scan(tmp_path / f"{number}.tif")
        np.testing.assert_allclose(scan.channel().data, BRIGHTNESS, rtol=1e-12)
        assert any("brightness" in note for note in scan.notes)


def test_tiff_that_calls_one_sample_a_colour_is_grey(tmp_path: Path) -> None:
    values = (GREY % 256).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        tiff.pages[0].tags["PhotometricInterpretation"].overwrite(2)
    np.testing.assert_array_equal(open_scan(tmp_path / "a.tif").channel().data, values)


def test_tiff_palette_is_brightness(tmp_path: Path) -> None:
    palette = Image.fromarray(COLOUR).quantize(8)
    palette.save(tmp_path / "p.tif")
    expected = np.asarray(palette.convert("RGB")) @ np.array([0.299, 0.587, 0.114])
    # 16-bit palettes: 255 is 65535 or 65280
    ratio = open_scan(tmp_path / "p.tif").channel().data / expected
    assert np.ptp(ratio) < 1e-9 * ratio.mean()


def test_tiff_white_is_zero_is_turned(tmp_path: Path) -> None:
    values = (GREY % 256).astype(np.uint8)
    tifffile.imwrite(tmp_path / "w.tif", values, photometric="miniswhite")
    np.testing.assert_array_equal(open_scan(tmp_path / "w.tif").channel().data, 255 - values)


def test_tiff_lzw_float_and_more_pages(tmp_path: Path) -> None:
    values = RNG.random((20, 30)).astype(np.float32)
    Image.fromarray(values).save(tmp_path / "l.tif", compression="tiff_lzw")
    np.testing.assert_array_equal(open_scan(tmp_path / "l.tif").channel().data, values)
    tifffile.imwrite(tmp_path / "s.tif", np.stack([values] * 3), photometric="minisblack")
    scan = open_scan(tmp_path / "s.tif")
    assert scan.geometry.shape == (20, 30)
    assert any("first of 3 pages" in note for note in scan.notes)


def test_tiff_truncated_or_broken_anywhere(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="minisblack")
    content = (tmp_path / "a.tif").read_bytes()
    for end in range(1, len(content)):
        (tmp_path / "b.tif").write_bytes(content[:end])
        with pytest.raises(FileError):
            _ = open_scan(tmp_path / "b.tif").channel().data
    for position in range(4, len(content) - GREY.nbytes, 3):
        broken = bytearray(content)
        broken[position] ^= 0xFF
        (tmp_path / "b.tif").write_bytes(broken)
        with contextlib.suppress(FileError):
            _ = open_scan(tmp_path / "b.tif").channel().data


def test_archives_that_are_not_ours(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FileError, match="it has no array at all"):
        open_scan(tmp_path / "a.zip")
    np.savez(tmp_path / "a.npz", spectrum=np.zeros(5), stack=np.zeros((2, 3, 4)), words=np.array([["a"]]))
    with pytest.raises(FileError, match="it has 'spectrum', 'stack', 'words'"):
        open_scan(tmp_path / "a.npz")
    np.savez(tmp_path / "o.npz", raw=np.array([[{}]], dtype=object))
    with pytest.raises(FileError, match="Python objects"):
        open_scan(tmp_path / "o.npz")
    np.savez(tmp_path / "d.npz", raw=np.zeros((2, 3)), restored=np.zeros((3, 3)))
    with pytest.raises(FileError, match="differ in size"):
        open_scan(tmp_path / "d.npz")


def test_every_image_of_an_archive_of_others(tmp_path: Path) -> None:
    image = np.arange(12.0).reshape(3, 4)
    np.savez(tmp_path / "a.npz", height=image, bias=np.arange(3), phase=image + 1, small=image[:2].astype(np.uint8))
    first, second = open_parts(tmp_path / "a.npz")
    assert first.channel_names == ["height", "phase"]
    np.testing.assert_array_equal(first.channel("phase").data, image + 1)
    assert (second.channel_names, second.geometry.shape) == (["small"], (2, 4))
    assert not first.geometry.calibrated
    np.savez_compressed(tmp_path / "b.npz", image)
    assert open_scan(tmp_path / "b.npz").channel_names == ["arr_0"]


def test_one_pixel_and_a_constant_image(tmp_path: Path) -> None:
    for shape in ((1, 1), (16, 16)):
        values = np.full(shape, 7, np.uint8)
        np.save(tmp_path / "a.npy", values)
        Image.fromarray(values).save(tmp_path / "a.png")
        tifffile.imwrite(tmp_path / "a.tif", values)
        for suffix in ("npy", "png", "tif"):
            channel = open_scan(tmp_path / f"a.{suffix}").channel()
            assert channel.data.shape == shape
            assert (channel.data == 7).all()
            assert channel.why_not_restorable() is not None


def test_tiff_whose_pieces_claim_more_than_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((64, 64), np.uint16), compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(path) as tiff:
        tag = tiff.pages[0].tags["StripByteCounts"]
        at = tag.valueoffset
    assert tag.dtype == 4  # 32 bits
    content = bytearray(path.read_bytes())
    content[at : at + 4] = (3_000_000_000).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    with pytest.raises(FileError, match="claims 3000000000 bytes"):
        _ = open_scan(path).channel().data


def test_tiff_of_more_pieces_than_the_file_has_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), rowsperstrip=1, photometric="minisblack")
    with tifffile.TiffFile(path) as tiff:
        tag = tiff.pages[0].tags["ImageLength"]
        at, size = tag.valueoffset, {3: 2, 4: 4}[int(tag.dtype)]
    content = bytearray(path.read_bytes())
    content[at : at + size] = (60_000).to_bytes(size, "little")
    path.write_bytes(bytes(content))
    with pytest.raises(FileError, match="claims 60000 pieces"):
        _ = open_scan(path).channel().data
