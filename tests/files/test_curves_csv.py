import csv
import json
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import curves_csv, read_grid, read_spectrum
from stmviewer.files.curves_csv import save_grid, save_spectrum
from stmviewer.scan import FileError

from .make_spectra import FIELDS, dat_bytes, grid_bytes


def _table(path: Path) -> tuple[list[str], list[str], list[list[str]]]:
    """Comment lines, titles and rows."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    titles, *rows = csv.reader(line for line in lines if not line.startswith("#"))
    return comments, titles, rows


def test_a_spectrum_is_a_table_with_titles_and_units(tmp_path: Path) -> None:
    raw = tmp_path / "raw.dat"
    raw.write_bytes(dat_bytes(fields=(*FIELDS, "Comment01\ta, b\r# c")))
    spectrum = read_spectrum(raw)
    path = save_spectrum(spectrum, tmp_path / "out.csv", {"task": "convert"})
    comments, titles, rows = _table(path)
    assert titles[:3] == ["Bias calc (V)", "Current forward (A)", "Current backward (A)"]
    assert len(titles) == len(spectrum.channels) + 1
    for column, curve in enumerate([spectrum.sweep, *spectrum.channels]):
        values = [float(row[column] or "nan") for row in rows]
        np.testing.assert_array_equal(values, curve.data)
    assert "# position_m: 1e-09 -2e-09 3e-09" in comments
    assert json.loads(path.with_name("out.csv.provenance.json").read_text()) == {"task": "convert"}


def _grid(tmp_path: Path, measured: int) -> Path:
    rng = np.random.default_rng(0)
    content = grid_bytes(rng.normal(size=(3, 4, 2, 5)), rng.normal(size=(3, 4, 5)))
    path = tmp_path / "raw.3ds"
    path.write_bytes(content[: len(content) - (12 - measured) * 4 * 15])
    return path


def test_a_grid_is_one_table_of_the_spectra_that_were_measured(tmp_path: Path) -> None:
    grid = read_grid(_grid(tmp_path, measured=7))
    _, titles, rows = _table(save_grid(grid, tmp_path / "out.csv", grid.channels))
    assert titles[:5] == ["row", "column", "x (m)", "y (m)", "Bias (V)"]
    assert len(rows) == 7 * 5
    for row in rows:
        line, column = int(row[0]), int(row[1])
        point = int(np.argmin(np.abs(grid.sweep.data - float(row[4]))))
        assert float(row[2]) == grid.parameter("X").data[line, column]
        assert not row[3]  # this grid does not say it
        assert [float(v) for v in row[5:]] == [stack.data[line, column, point] for stack in grid.channels]
    assert {(int(r[0]), int(r[1])) for r in rows} == set(zip(*np.nonzero(grid.measured), strict=True))


def test_a_grid_too_large_for_a_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves_csv, "_MOST_LINES", 30)
    grid = read_grid(_grid(tmp_path, measured=12))
    with pytest.raises(FileError, match="60 lines"):
        save_grid(grid, tmp_path / "out.csv", grid.channels)
    assert not (tmp_path / "out.csv").exists()


def test_a_raw_spectrum_is_never_written_over(tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    raw.write_bytes(dat_bytes())
    with pytest.raises(FileError, match="never written over"):
        save_spectrum(read_spectrum(raw), raw)
    assert raw.read_bytes() == dat_bytes()
