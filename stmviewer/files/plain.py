"""Images without a size: .npy arrays and .png pictures, as uncalibrated height maps."""

import io
import math
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.notes import BRIGHTNESS, SIZE_UNKNOWN
from stmviewer.files.source import Source
from stmviewer.scan import Channel, FileError, Geometry, Scan

#: name of the one channel of an image that brings no name; its unit is empty, since nobody knows it
UNCALIBRATED_NAME = "Height"
#: luminance of red, green and blue (ITU-R BT.601)
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_MOST_PIXELS = 16384 * 16384
#: numpy writes a longer header only for tables with many named columns
_LONGEST_HEADER = 64 * 1024


def uncalibrated(source: Source, form: str, channel: Channel, shape: tuple[int, int], notes: list[str]) -> Scan:
    """The scan of an image (rows, columns) of which only the pixels are known."""
    return Scan(
        channels=(channel,),
        geometry=Geometry.of_pixels(*shape),
        path=source.path,
        format=form,
        notes=(SIZE_UNKNOWN, *notes),
    )


def check_image(source: Source, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, int]:
    """(rows, columns) of an array that can be an image; FileError for one that cannot."""
    if dtype.kind not in "biuf":
        kind = {"c": "complex numbers", "O": "Python objects"}.get(dtype.kind, f"values of type {dtype}")
        raise FileError(source.path, f"the array holds {kind}, not real numbers")
    if len(shape) != 2:
        raise FileError(source.path, f"the array has {len(shape)} dimensions {shape}, an image has 2")
    if min(shape) < 1:
        raise FileError(source.path, f"the array is empty: {shape[0]} x {shape[1]}")
    if math.prod(shape) > _MOST_PIXELS:
        raise FileError(source.path, f"the image claims {shape[1]} x {shape[0]} pixels; {_MOST_PIXELS} are the most")
    return shape[0], shape[1]


def luminance(colours: NDArray[Any]) -> NDArray[np.float64]:
    """Luminance (rows, columns) of red, green, blue (rows, columns, 3), in their own scale.

    Grey stays exactly what it was: the weights add up to one only to rounding.
    """
    red, green, blue = (colours[..., i].astype(np.float64) for i in range(3))
    grey = (red == green) & (green == blue)
    return np.where(grey, red, _LUMINANCE[0] * red + _LUMINANCE[1] * green + _LUMINANCE[2] * blue)


def is_grey(colours: NDArray[Any]) -> bool:
    """Whether red, green and blue (rows, columns, 3 or more) are the same everywhere."""
    return bool((colours[..., 0] == colours[..., 1]).all() and (colours[..., 1] == colours[..., 2]).all())


def read_array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and type of the array in .npy format that begins here."""
    if np.lib.format.read_magic(file) == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    return np.lib.format.read_array_header_2_0(file)


def read_npy(source: Source) -> Scan:
    """Opens a .npy file with one two-dimensional real array; NaN is not measured."""
    # in memory, where a damaged length of the header cannot ask for more than there is
    file = io.BytesIO(source.head(_LONGEST_HEADER))
    try:
        shape, fortran, dtype = read_array_header(file)
    except MemoryError:
        raise
    # the header is Python source, and damaged source fails in many ways
    except Exception as error:
        raise FileError(source.path, f"the NumPy header is damaged ({type(error).__name__})") from error
    start = file.tell()
    rows, columns = check_image(source, shape, dtype)
    missing = start + rows * columns * dtype.itemsize - source.size
    if missing > 0:
        raise FileError(
            source.path, f"the file is truncated: {missing} of {rows * columns * dtype.itemsize} bytes missing"
        )

    def load() -> NDArray[Any]:
        values = source.array(start, dtype, rows * columns)
        return values.reshape(columns, rows).T if fortran else values.reshape(rows, columns)

    def load_lines(which: range) -> NDArray[Any]:
        return source.lines(start, dtype, columns, which)

    channel = Channel(UNCALIBRATED_NAME, "", load, load_lines=None if fortran else load_lines)
    return uncalibrated(source, "NumPy", channel, (rows, columns), [])


def read_png(source: Source) -> Scan:
    """Opens a .png picture: grey values as they are (16 bit stay 16 bit), colours as luminance.

    Fully transparent pixels carry no value: not measured.
    """
    from PIL import Image

    notes: list[str] = []
    with source.open() as file:
        # in memory, where a damaged length of a chunk cannot ask for more than there is
        content = io.BytesIO(file.read())
        try:
            with Image.open(content, formats=("PNG",)) as picture:
                check_image(source, (picture.height, picture.width), np.dtype(np.uint8))
                source.refuse_bomb(picture.width * picture.height * 4)
                has_alpha = "transparency" in picture.info or picture.mode.endswith("A")
                if picture.mode in ("1", "L", "I", "F") or picture.mode.startswith("I;16"):
                    values = np.asarray(picture)
                    opaque = np.ones(values.shape, dtype=np.bool_)
                else:
                    pixels = np.asarray(picture.convert("RGBA"))
                    values = luminance(pixels[..., :3])
                    opaque = pixels[..., 3] > 0 if has_alpha else np.ones(values.shape, dtype=np.bool_)
                    notes += [] if is_grey(pixels) else [BRIGHTNESS]
        except (FileError, MemoryError):
            raise
        # a decoder says what it likes about damaged pictures
        except Exception as error:
            raise FileError(source.path, f"the picture is damaged ({error or type(error).__name__})") from error
    image = values if opaque.all() else np.where(opaque, values, np.nan)
    return uncalibrated(source, "PNG", Channel(UNCALIBRATED_NAME, "", image), (image.shape[0], image.shape[1]), notes)


def png_texts(source: Source) -> dict[str, str]:
    """The texts in a .png file that stand before its pixels. Raises FileError for what is no picture."""
    from PIL import Image

    with source.open() as file:
        try:
            with Image.open(io.BytesIO(file.read()), formats=("PNG",)) as picture:
                return {str(key): text for key, text in picture.info.items() if isinstance(text, str)}
        except Exception as error:
            raise FileError(source.path, f"the picture is damaged ({error or type(error).__name__})") from error
