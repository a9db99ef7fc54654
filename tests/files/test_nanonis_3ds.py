from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan, read_grid
from stmviewer.scan import FileError, Grid, RequestError

from .make_spectra import grid_bytes

_LINES, _COLUMNS, _POINTS = 3, 4, 5


def _made() -> tuple[np.ndarray, np.ndarray]:
    """Values and parameters, each number different, bottom line first."""
    values = np.arange(_LINES * _COLUMNS * 2 * _POINTS, dtype=float).reshape(_LINES, _COLUMNS, 2, _POINTS) + 1
    parameters = -np.arange(_LINES * _COLUMNS * 5, dtype=float).reshape(_LINES, _COLUMNS, 5) - 1
    parameters[:, :, :2] = -0.5, 1.5
    parameters[:, :, 4] = 0.04
    return values, parameters


def _read(folder: Path, content: bytes) -> Grid:
    path = folder / "grid.3ds"
    path.write_bytes(content)
    return read_grid(path)


def test_a_grid_with_the_last_line_at_the_top(tmp_path: Path) -> None:
    values, parameters = _made()
    grid = _read(tmp_path, grid_bytes(values, parameters))
    assert grid.shape == (_LINES, _COLUMNS, _POINTS)
    assert [(c.label, c.unit) for c in grid.channels] == [("Current forward", "A"), ("Current backward", "A")]
    np.testing.assert_array_equal(grid.channel("Current").data, values[::-1, :, 0])
    np.testing.assert_array_equal(grid.channel("Current", "backward").data, values[::-1, :, 1])
    np.testing.assert_array_equal(grid.channel("Current").image(2), values[::-1, :, 0, 2])
    np.testing.assert_array_equal(grid.parameter("Z").data, parameters[::-1, :, 3])
    np.testing.assert_allclose(grid.sweep.data, [-0.5, 0, 0.5, 1, 1.5])
    assert (grid.sweep.name, grid.sweep.unit) == ("Bias", "V")
    assert grid.measured.all() and not grid.notes
    assert (grid.geometry.width, grid.geometry.height, grid.geometry.angle_deg) == (4e-9, 3e-9, 30)
    assert grid.geometry.centre == (1e-7, 2e-7)
    assert (grid.bias_v, grid.comment, grid.recorded) == (-0.4, "5 µm", "2017-03-09 21:19:38")
    spectrum = grid.spectrum(0, 1)
    np.testing.assert_array_equal(spectrum.channel("Current", "backward").data, values[-1, 1, 1])
    with pytest.raises(RequestError, match="Current forward"):
        grid.channel("Phase")
    with pytest.raises(RequestError, match="Settling time"):
        grid.parameter("Y")


def test_a_grid_opens_as_its_topography(tmp_path: Path) -> None:
    values, parameters = _made()
    (tmp_path / "grid.dat").write_bytes(grid_bytes(values, parameters))
    scan = open_scan(tmp_path / "grid.dat")
    assert scan.channel_names == ["Z"]
    np.testing.assert_array_equal(scan.channel().data, parameters[::-1, :, 3])
    assert (scan.channel().unit, scan.scan_direction) == ("m", "up")


def test_cut_at_any_byte_is_unmeasured_or_one_clear_error(tmp_path: Path) -> None:
    values, parameters = _made()
    content = grid_bytes(values, parameters)
    start = content.index(b":HEADER_END:\r\n") + 14
    stride = 4 * (5 + 2 * _POINTS)
    for length in [*range(1, start), *range(start, len(content), 7)]:
        path = tmp_path / "cut.3ds"
        path.write_bytes(content[:length])
        if length < start:
            with pytest.raises(FileError) as caught:
                read_grid(path)
            assert caught.value.path == path
            continue
        there = (length - start) // stride
        grid = read_grid(path)
        measured = np.arange(_LINES * _COLUMNS).reshape(_LINES, _COLUMNS)[::-1] < there
        np.testing.assert_array_equal(grid.measured, measured)
        stack = grid.channel("Current").data
        np.testing.assert_array_equal(stack, np.where(measured[:, :, None], values[::-1, :, 0], np.nan))
        np.testing.assert_array_equal(np.isnan(grid.parameter("Z").data), ~measured)
        assert f"{there} of 12 points" in grid.notes[0]
        assert open_scan(path).channel().data.shape == (_LINES, _COLUMNS)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Grid_dim": '"20"'}, "field Grid dim says '20'"),
        ({"Grid_dim": '"0 x 20"'}, "not columns x rows"),
        ({"Grid_dim": '"99999 x 99999"'}, "claims 99999 x 99999 points"),
        ({"Points": None}, "field Points is missing"),
        ({"Points": "-3"}, "field Points says '-3'"),
        ({"Points": "999999999"}, "field Experiment size"),
        ({"Channels": '""'}, "lists no channels"),
        ({"Experiment_size_(bytes)": "8"}, "2 channels of 5 points need 40"),
        ({"#_Parameters_(4_byte)": "x"}, "says 'x'"),
    ],
)
def test_impossible_headers_are_refused_by_field(tmp_path: Path, changes: dict[str, str | None], said: str) -> None:
    with pytest.raises(FileError, match=said):
        _read(tmp_path, grid_bytes(*_made(), **changes))


def test_a_huge_claim_of_points_allocates_nothing(tmp_path: Path) -> None:
    changes = {"Points": "100000000", "Experiment_size_(bytes)": "800000000"}
    with pytest.raises(FileError, match="of which the file holds 0"):
        _read(tmp_path, grid_bytes(*_made(), **changes))


def test_a_sweep_that_is_not_even_counts_points(tmp_path: Path) -> None:
    grid = _read(tmp_path, grid_bytes(*_made(), Filetype="MLS"))
    assert (grid.sweep.name, grid.sweep.unit) == ("Point", "")
    np.testing.assert_array_equal(grid.sweep.data, range(_POINTS))
    assert "not evenly spaced" in grid.notes[0]


def test_a_grid_without_size_is_in_pixels(tmp_path: Path) -> None:
    grid = _read(tmp_path, grid_bytes(*_made(), Grid_settings=None))
    assert grid.geometry.unit == "px"


def test_an_image_is_no_grid(tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", np.zeros((3, 4)))
    with pytest.raises(FileError, match="is no grid"):
        read_grid(tmp_path / "image.npy")


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("package", ["nanonispy", "nanonispy2"])
def test_a_real_grid_as_others_read_it(real_data: Path, package: str) -> None:
    """They turn nothing: their first line is the one that was measured first, ours the one at the top."""
    reader = pytest.importorskip(package)
    path = real_data / "scans/alexriss-spmgrids/Grid Spectroscopy002.3ds"
    grid = read_grid(path)
    theirs = reader.read.Grid(str(path)).signals
    assert grid.shape == (20, 20, 128) and len(grid.channels) == 10 and grid.measured.all()
    for stack in grid.channels:
        np.testing.assert_array_equal(stack.data, theirs[f"{stack.name} ({stack.unit})"][::-1])
    for index, image in enumerate(grid.parameters):
        np.testing.assert_array_equal(image.data, theirs["params"][::-1, :, index])
    np.testing.assert_allclose(grid.sweep.data, theirs["sweep_signal"], atol=1e-7)
    np.testing.assert_allclose(grid.channel("Bias").data[3, 4], grid.sweep.data, atol=1e-4)


@pytest.mark.parametrize("points", [5, 9000])
def test_short_and_long_points_are_read_alike(tmp_path: Path, points: int) -> None:
    rng = np.random.default_rng(2)
    values, parameters = rng.normal(size=(3, 4, 2, points)), rng.normal(size=(3, 4, 5))
    path = tmp_path / "a.3ds"
    path.write_bytes(grid_bytes(values, parameters))
    grid = read_grid(path)
    for number, stack in enumerate(grid.channels):
        np.testing.assert_array_equal(stack.data, values[::-1, :, number].astype(np.float32))
    np.testing.assert_array_equal(grid.parameters[3].data, parameters[::-1, :, 3].astype(np.float32))


@pytest.mark.real_data
def test_a_real_grid_that_is_cut_is_unmeasured_from_there_on(real_data: Path, tmp_path: Path) -> None:
    """Never zero: cut within a point of the eighth line, as a grid that was stopped, and within its last value."""
    path = real_data / "scans/alexriss-spmgrids/Grid Spectroscopy002.3ds"
    content, whole = path.read_bytes(), read_grid(path)
    start = content.index(b":HEADER_END:\r\n") + 14
    stride = (len(content) - start) // 400
    for points, extra in ((7 * 20 + 13, stride // 2), (399, stride - 1), (0, 3)):
        cut = tmp_path / f"cut{points}.3ds"
        cut.write_bytes(content[: start + points * stride + extra])
        grid = read_grid(cut)
        measured = np.zeros(400, dtype=bool)
        measured[:points] = True
        measured = measured.reshape(20, 20)[::-1]
        np.testing.assert_array_equal(grid.measured, measured)
        assert any(f"{points} of 400" in note for note in grid.notes)
        for ours, theirs in zip(grid.channels, whole.channels, strict=True):
            np.testing.assert_array_equal(ours.data[measured], theirs.data[measured])
            assert np.isnan(ours.data[~measured]).all()
        if points:
            scan = open_scan(cut)
            np.testing.assert_array_equal(scan.channel("Z").measured, measured)


@pytest.mark.real_data
def test_the_pixels_of_a_real_grid_are_where_its_tip_stood(real_data: Path) -> None:
    grid = read_grid(real_data / "scans/alexriss-spmgrids/Grid Spectroscopy002.3ds")
    g = grid.geometry
    x = g.centre[0] - g.width / 2 + (np.arange(g.columns) + 0.5) * g.pixel_width
    y = g.centre[1] + g.height / 2 - (np.arange(g.rows) + 0.5) * g.pixel_height
    np.testing.assert_allclose(grid.parameter("X").data, np.broadcast_to(x, g.shape), atol=1e-12)
    np.testing.assert_allclose(grid.parameter("Y").data, np.broadcast_to(y[:, None], g.shape), atol=1e-12)
    assert open_scan(grid.path or "").channel().name == "Z"
