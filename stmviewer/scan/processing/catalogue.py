"""The table of processing steps: what window and command line offer, and what a history can hold."""

from collections.abc import Callable, Mapping

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.scan.levelling import fit_plane
from stmviewer.scan.processing import background, drift, filters, marking, rows, shape
from stmviewer.scan.processing.image import Image
from stmviewer.scan.processing.kinds import Apply, Kind, Parameter, Value
from stmviewer.scan.progress import Progress

_BOX = (
    Parameter("left", "Left", 0, 0, 1e6, unit="px"),
    Parameter("top", "Top", 0, 0, 1e6, unit="px"),
    Parameter("width", "Width", 1, 1, 1e6, unit="px"),
    Parameter("height", "Height", 1, 1, 1e6, unit="px"),
)
_EDGES = Parameter(
    "edges",
    "Edges",
    "cut",
    choices=(("cut", "Cut to what is whole"), ("keep", "Keep all, with gaps")),
    hint="What is kept but was not measured can be filled by Rebuild a sparse scan",
)


def _on_data(function: Callable[..., FloatArray]) -> Apply:
    """A step that changes values and not the frame, and takes moments: its parameters are the function's own."""

    def apply(image: Image, parameters: Mapping[str, Value], progress: Progress) -> Image:
        progress.check()
        return image.mapped(lambda data: function(data, **parameters))

    return apply


def _plane(data: FloatArray, fit: str) -> FloatArray:
    plane = fit_plane(data) if fit == "robust" else background.least_squares_plane(data)
    result: FloatArray = data - plane
    return result


def _median(image: Image, parameters: Mapping[str, Value], progress: Progress) -> Image:
    share = 1.0 if image.other is None else 0.5
    return image.mapped(lambda data: filters.median_filter(data, int(parameters["size"]), progress.part(share)))


def _facet(image: Image, _: Mapping[str, Value], progress: Progress) -> Image:
    g = image.geometry
    return image.mapped(lambda data: background.facet_level(data, g.pixel_width, g.pixel_height, progress))


def _polynomial(data: FloatArray, order_x: int, order_y: int) -> FloatArray:
    result: FloatArray = data - background.fit_polynomial(data, order_x, order_y)
    return result


def _align_rows(data: FloatArray, method: str, degree: int) -> FloatArray:
    match method:
        case "median":
            return rows.align_by_median(data)
        case "polynomial":
            return rows.align_by_polynomial(data, degree)
        case "unflatten":
            return rows.unflatten(data)
        case _:
            return rows.align_by_difference(data)


def _scars(data: FloatArray, kind: str, high: float, low: float, length: int, width: int) -> FloatArray:
    if low > high:
        raise RequestError(f"the lower threshold ({low:g}) must not be over the higher one ({high:g})")
    if len(data) < width + 3:
        raise RequestError(f"scars of {width} lines cannot be told in an image of {len(data)}")
    marked = np.zeros(data.shape, dtype=np.bool_)
    if kind != "negative":
        marked |= rows.mark_scars(data, high, low, length, width)
    if kind != "positive":
        marked |= rows.mark_scars(data, high, low, length, width, negative=True)
    return rows.bridge_rows(data, marked)


def _fix_zero(data: FloatArray, at: str) -> FloatArray:
    measured = data[np.isfinite(data)]
    level = float(np.mean(measured) if at == "mean" else np.median(measured) if at == "median" else np.min(measured))
    result: FloatArray = data - level
    return result


def _crop(image: Image, parameters: Mapping[str, Value], _: Progress) -> Image:
    left, top, width, height = (int(parameters[name]) for name in ("left", "top", "width", "height"))
    return shape.cropped(image, left, top, width, height)


def _rotate(image: Image, parameters: Mapping[str, Value], progress: Progress) -> Image:
    edges: shape.Edges = "keep" if parameters["edges"] == "keep" else "cut"
    return shape.turned(image, float(parameters["angle"]), edges, progress)


def _drift(image: Image, parameters: Mapping[str, Value], progress: Progress) -> Image:
    if parameters["by"] == "directions":
        return drift.correct_by_directions(image, progress)
    edges: shape.Edges = "keep" if parameters["edges"] == "keep" else "cut"
    known: dict[Value, drift.Lattice] = {"square": "square", "2x1": "2x1"}
    return drift.correct_by_lattice(image, known.get(parameters["lattice"], "hexagonal"), edges, progress)


def _band(image: Image, parameters: Mapping[str, Value], progress: Progress) -> Image:
    progress.check()
    shortest, longest = float(parameters.get("shortest", 0.0)), float(parameters.get("longest", 0.0))
    passed = filters.band(image.geometry, shortest, longest)
    return image.mapped(lambda data: filters.filtered_in_fourier(data, passed, keep_mean=True))


def _spectrum(image: Image, parameters: Mapping[str, Value], progress: Progress) -> Image:
    progress.check()
    inside = filters.spots(image.geometry, filters.circles_of(str(parameters["circles"])))
    passed = inside if parameters["do"] == "keep" else 1 - inside
    return image.mapped(lambda data: filters.filtered_in_fourier(data, passed))


def _mask_rectangle(image: Image, parameters: Mapping[str, Value], _: Progress) -> Image:
    left, top, width, height = (int(parameters[name]) for name in ("left", "top", "width", "height"))
    return image.without(marking.rectangle(image, left, top, width, height, outside=parameters["mark"] == "outside"))


def _mask_brush(image: Image, parameters: Mapping[str, Value], _: Progress) -> Image:
    return image.without(marking.strokes(image, str(parameters["path"]), float(parameters["radius"])))


def _mask_extremes(image: Image, parameters: Mapping[str, Value], _: Progress) -> Image:
    return image.without(marking.extremes(image, float(parameters["lowest"]), float(parameters["highest"])))


def _mask_threshold(image: Image, parameters: Mapping[str, Value], _: Progress) -> Image:
    return image.without(marking.outliers(image, float(parameters["low"]), float(parameters["high"])))


_LONGEST = Parameter("longest", "Longest period", 10.0, 0, 1e9, unit="nm", hint="Slower waves are taken out")
_SHORTEST = Parameter("shortest", "Shortest period", 0.3, 0, 1e9, unit="nm", hint="Faster waves are taken out")
_KINDS = (
    Kind(
        "plane",
        "Plane",
        "Level",
        _on_data(_plane),
        (
            Parameter(
                "fit",
                "Fit to",
                "robust",
                choices=(("robust", "Most pixels (robust)"), ("all", "All pixels")),
                hint="Robust leaves out what stands over three deviations from the plane",
            ),
        ),
        "Takes away the tilt of the sample",
    ),
    Kind("facet", "Facets", "Level", _facet, (), "Makes terraces level, where a plane follows the staircase"),
    Kind(
        "polynomial",
        "Polynomial",
        "Level",
        _on_data(_polynomial),
        (Parameter("order_x", "Order across", 2, 0, 12), Parameter("order_y", "Order down", 2, 0, 12)),
        "Takes away a bow of the scanner",
    ),
    Kind(
        "fix-zero",
        "Set zero",
        "Level",
        _on_data(_fix_zero),
        (
            Parameter(
                "at", "Zero is", "minimum", choices=(("minimum", "The lowest"), ("mean", "Mean"), ("median", "Median"))
            ),
        ),
        "Moves the zero of the heights",
    ),
    Kind(
        "align-rows",
        "Align lines",
        "Lines",
        _on_data(_align_rows),
        (
            Parameter(
                "method",
                "Method",
                "median-difference",
                choices=(
                    ("median-difference", "Median of differences"),
                    ("median", "Median"),
                    ("polynomial", "Polynomial"),
                    ("unflatten", "Undo flattening"),
                ),
                hint="The median of differences is not misled by steps. Undo flattening takes out the dark lines "
                "beside high features of scans whose lines another program flattened",
            ),
            Parameter("degree", "Degree", 1, 0, 5, needs=("method", ("polynomial",))),
        ),
        "Takes out height jumps from line to line",
    ),
    Kind(
        "scars",
        "Remove scars",
        "Lines",
        _on_data(_scars),
        (
            Parameter(
                "kind",
                "Scars are",
                "both",
                choices=(("both", "High or low"), ("positive", "High"), ("negative", "Low")),
            ),
            Parameter("high", "Threshold", 0.666, 0, 100, unit="rms", hint="Over the rms difference between lines"),
            Parameter("low", "Lower threshold", 0.25, 0, 100, unit="rms"),
            Parameter("length", "Least length", 16, 1, 100000, unit="px"),
            Parameter("width", "Most lines", 4, 1, 16),
        ),
        "Replaces streaks by what lies above and below",
        alters=True,
    ),
    Kind("crop", "Crop", "Shape", _crop, _BOX, "Keeps a rectangle", drawn="box"),
    Kind(
        "rotate",
        "Rotate",
        "Shape",
        _rotate,
        (Parameter("angle", "Angle", 90.0, -360, 360, unit="°", hint="Counter-clockwise"), _EDGES),
        "Turns the image; multiples of 90° change no value",
    ),
    Kind(
        "drift",
        "Correct drift",
        "Shape",
        _drift,
        (
            Parameter(
                "by",
                "Measured by",
                "lattice",
                choices=(("lattice", "The lattice"), ("directions", "Forward and backward")),
            ),
            Parameter(
                "lattice",
                "Lattice",
                "hexagonal",
                choices=(("hexagonal", "Hexagonal"), ("square", "Square"), ("2x1", "2 × 1 rectangle")),
                needs=("by", ("lattice",)),
            ),
            Parameter(**{**vars(_EDGES), "needs": ("by", ("lattice",))}),
        ),
        "Undoes shear and stretch by drift, or the lag between the directions",
    ),
    Kind(
        "fft-filter",
        "Spectrum spots",
        "Filter",
        _spectrum,
        (
            Parameter("do", "Marked waves", "remove", choices=(("remove", "Are removed"), ("keep", "Alone are kept"))),
            Parameter("circles", "Circles", "", hint="Drag on the spectrum to mark waves"),
        ),
        "Removes waves that you mark on the spectrum",
        alters=True,
        drawn="spectrum",
    ),
    Kind("low-pass", "Low pass", "Filter", _band, (_SHORTEST,), "Takes out waves that are too fast", alters=True),
    Kind("high-pass", "High pass", "Filter", _band, (_LONGEST,), "Takes out waves that are too slow", alters=True),
    Kind(
        "band-pass", "Band pass", "Filter", _band, (_SHORTEST, _LONGEST), "Keeps waves between two periods", alters=True
    ),
    Kind(
        "median",
        "Median",
        "Filter",
        _median,
        (Parameter("size", "Size", 3, 2, 31, unit="px"),),
        "Takes out single pixels",
        alters=True,
    ),
    Kind(
        "gaussian",
        "Gaussian",
        "Filter",
        _on_data(filters.gaussian_filter),
        (Parameter("sigma", "Sigma", 1.0, 0.1, 100, unit="px"),),
        "Smooths",
        alters=True,
    ),
    Kind(
        "mask-rectangle",
        "Rectangle",
        "Mask",
        _mask_rectangle,
        (*_BOX, Parameter("mark", "Mark", "inside", choices=(("inside", "What is inside"), ("outside", "The rest")))),
        "Marks pixels as not measured",
        drawn="box",
    ),
    Kind(
        "mask-brush",
        "Brush",
        "Mask",
        _mask_brush,
        (
            Parameter("radius", "Radius", 4.0, 0.5, 500, unit="px"),
            Parameter("path", "Strokes", "", hint="Paint on the image"),
        ),
        "Marks what you paint as not measured",
        drawn="strokes",
    ),
    Kind(
        "mask-extremes",
        "Extremes",
        "Mask",
        _mask_extremes,
        (
            Parameter("lowest", "Lowest", 0.0, 0, 99, unit="%"),
            Parameter("highest", "Highest", 1.0, 0, 99, unit="%"),
        ),
        "Marks the lowest or highest pixels as not measured",
    ),
    Kind(
        "mask-threshold",
        "Threshold",
        "Mask",
        _mask_threshold,
        (
            Parameter("low", "Below", -1e-9, unit="value"),
            Parameter("high", "Above", 1e-9, unit="value"),
        ),
        "Marks values beyond two limits as not measured",
    ),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
