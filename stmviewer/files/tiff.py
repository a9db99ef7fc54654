"""TIFF images: other people's as uncalibrated height maps, our own with size, unit and role of each page.

Our own pages carry a JSON description; ImageJ and Gwyddion read the size from the resolution tags.
"""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

import stmviewer
from stmviewer.files.notes import BRIGHTNESS, on_pixels
from stmviewer.files.plain import UNCALIBRATED_NAME, check_image, is_grey, luminance, uncalibrated
from stmviewer.files.provenance import from_json, to_json
from stmviewer.files.roles import result_of
from stmviewer.files.source import Source
from stmviewer.files.titles import Names, as_direction, as_role, title_of
from stmviewer.scan import Channel, FileError, Geometry, Scan

_PAGE_NAME_TAG = 285
#: marks our JSON description
_MARK = "stmviewer"
# values of the tag PhotometricInterpretation
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE = range(4)
#: resolution tags are fractions of 32-bit numbers, in pixels per centimetre
_FINEST_PIXEL_M = 1e-2 / 2**31


def write_tiff(scan: Scan, file: BinaryIO) -> None:
    """Writes every channel of `scan` as a float32 page, the restored one first; NaN is not measured."""
    import tifffile

    first = result_of(scan).image
    pages = [first, *(c for c in scan.channels if c is not first)]
    frame = scan.geometry
    tagged = frame.calibrated and min(frame.pixel_width, frame.pixel_height) > _FINEST_PIXEL_M
    resolution = (1e-2 / frame.pixel_width, 1e-2 / frame.pixel_height) if tagged else (1.0, 1.0)
    with tifffile.TiffWriter(file) as tiff:
        for channel in pages:
            tiff.write(
                channel.data.astype(np.float32),
                photometric="minisblack",
                resolution=resolution,
                resolutionunit="CENTIMETER" if tagged else "NONE",
                software=f"stmviewer {stmviewer.__version__}",
                description=_description(scan, channel, len(pages)),
                extratags=[
                    (
                        _PAGE_NAME_TAG,
                        "s",
                        0,
                        title_of(channel).encode("ascii", errors="backslashreplace").decode(),
                        True,
                    )
                ],
                metadata=None,
                contiguous=False,
            )


def _description(scan: Scan, channel: Channel, pages: int) -> str:
    frame = scan.geometry
    described: dict[str, Any] = {
        _MARK: stmviewer.__version__,
        "pages": pages,
        "channel": channel.name,
        "direction": channel.direction,
        "role": channel.role,
        "unit": channel.unit,
        "bias_V": scan.bias_v,
        "setpoint_A": scan.setpoint_a,
        "provenance": scan.provenance,
    }
    if frame.calibrated:
        described |= {"size_m": [frame.width, frame.height], "centre_m": frame.centre, "angle_deg": frame.angle_deg}
    return to_json(described, ascii_only=True)


def read_tiff(source: Source) -> Scan:
    """Opens the first page of a TIFF file; of one that stmviewer wrote, all pages with their size and units.

    Grey pages are decoded when they are first asked for. Raises FileError for what is no image.
    """
    with _decoding(source) as tiff:
        pages = list(tiff.pages)
        if not pages:
            raise FileError(source.path, "the TIFF file holds no page")
        shapes = [_image_shape(source, page) for page in pages]
        described = [_described(page) for page in pages]
        first = pages[0]
        grey = first.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO)
    if (about := described[0]) is not None:
        same = [(i, d) for i, d in enumerate(described) if d is not None and shapes[i] == shapes[0]]
        return _own_scan(source, shapes[0], about, same)
    notes = [f"only the first of {len(pages)} pages is shown"] if len(pages) > 1 else []
    image: NDArray[Any] | Callable[[], NDArray[Any]] = _loader(source, 0)
    if not grey and (colours := _decode(source, 0)).ndim == 3:
        image = luminance(colours)
        notes += [] if is_grey(colours) else [BRIGHTNESS]
    return uncalibrated(source, "TIFF", Channel(UNCALIBRATED_NAME, "", image), shapes[0], notes)


def is_ours(source: Source) -> bool:
    """Whether `write_tiff` wrote the file. Raises FileError for what is no TIFF file."""
    with _decoding(source) as tiff:
        return bool(tiff.pages) and _described(tiff.pages[0]) is not None


def _own_scan(
    source: Source, shape: tuple[int, int], about: Mapping[str, Any], pages: list[tuple[int, Mapping[str, Any]]]
) -> Scan:
    # damaged pages are left out by tifffile without a word
    if len(pages) != about.get("pages"):
        raise FileError(source.path, f"the file is truncated: {len(pages)} of {about.get('pages')} pages are readable")
    names = Names()
    channels = []
    for index, page in pages:
        direction = as_direction(page.get("direction")) or "forward"
        role = as_role(page.get("role")) or "raw"
        name = names.distinct(str(page.get("channel") or UNCALIBRATED_NAME), direction, role)
        channels.append(Channel(name, str(page.get("unit") or ""), _loader(source, index), direction, role))
    provenance = about.get("provenance")
    geometry = _geometry(shape, about)
    return Scan(
        channels=tuple(channels),
        geometry=geometry,
        path=source.path,
        format="stmviewer TIFF",
        bias_v=_number(about.get("bias_V")),
        setpoint_a=_number(about.get("setpoint_A")),
        notes=tuple(on_pixels(geometry)),
        provenance=provenance if isinstance(provenance, Mapping) else None,
    )


def _geometry(shape: tuple[int, int], about: Mapping[str, Any]) -> Geometry:
    rows, columns = shape
    size, centre = ([_number(v) for v in about.get(key) or ()][:2] for key in ("size_m", "centre_m"))
    if len(size) < 2 or size[0] is None or size[1] is None or min(size[0], size[1]) <= 0:
        return Geometry.of_pixels(rows, columns)
    x, y = (centre[0] or 0.0, centre[1] or 0.0) if len(centre) == 2 else (0.0, 0.0)
    return Geometry(columns, rows, size[0], size[1], angle_deg=_number(about.get("angle_deg")) or 0.0, centre=(x, y))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


@contextmanager
def _decoding(source: Source) -> Iterator[Any]:
    """The file as a tifffile.TiffFile. Damaged files fail in many ways in there; each is a FileError."""
    import tifffile

    # it also logs what it then raises, and logs go to the console where nobody set them up
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    with source.open() as file:
        try:
            with tifffile.TiffFile(file) as tiff:
                yield tiff
        except (FileError, OSError, MemoryError):
            raise
        except Exception as error:
            raise FileError(source.path, f"the TIFF file is damaged ({error or type(error).__name__})") from error


def _image_shape(source: Source, page: Any) -> tuple[int, int]:
    if page.imagedepth > 1 or page.dtype is None:
        raise FileError(source.path, "the TIFF page is not an image of two dimensions")
    shape = check_image(source, (page.imagelength, page.imagewidth), page.dtype)
    source.refuse_bomb(page.nbytes)
    return shape


def _described(page: Any) -> Mapping[str, Any] | None:
    """What `write_tiff` said about a page; None for a page from elsewhere."""
    found = from_json(page.description) if page.description.startswith("{") else None
    return found if found is not None and _MARK in found else None


def _loader(source: Source, index: int) -> Callable[[], NDArray[Any]]:
    return lambda: _decode(source, index)


def _decode(source: Source, index: int) -> NDArray[Any]:
    """A page as grey values (rows, columns) or colours (rows, columns, 3 or more)."""
    with _decoding(source) as tiff:
        page = tiff.pages[index]
        _image_shape(source, page)
        if (longest := max(page.databytecounts, default=0)) > source.size:  # they would be allocated
            raise FileError(source.path, f"a piece of TIFF page {index + 1} claims {longest} bytes")
        if (pieces := math.prod(page.chunked)) > source.size:  # each has an entry in the file
            raise FileError(source.path, f"TIFF page {index + 1} claims {pieces} pieces in {source.size} bytes")
        if page.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE):
            return _decode_with_pillow(source, index)
        try:
            # planes, depth, rows, columns, samples
            values: NDArray[Any] = page.asarray(squeeze=False)[:, 0]
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            return _decode_with_pillow(source, index)
        values = np.moveaxis(values[..., 0], 0, -1) if len(values) > 1 else values[0]
        if page.photometric == _PALETTE:
            return np.moveaxis(page.colormap[:, values[..., 0]], 0, -1)
        if page.photometric == _WHITE_IS_ZERO and values.dtype.kind == "u":
            values = np.iinfo(values.dtype).max - values
        return values if page.photometric == _RGB and values.shape[-1] >= 3 else values[..., 0]


def _decode_with_pillow(source: Source, index: int) -> NDArray[Any]:
    """The compressions that tifffile leaves to a package of codecs, LZW above all."""
    from PIL import Image

    with source.open() as file, Image.open(file, formats=("TIFF",)) as picture:
        picture.seek(index)
        is_grey_mode = picture.mode in ("1", "L", "I", "F") or picture.mode.startswith("I;16")
        return np.asarray(picture if is_grey_mode else picture.convert("RGB"))
