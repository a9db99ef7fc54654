import re
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import kind_of, open_scan, read_spectrum
from stmviewer.scan import FileError, RequestError, Spectrum

from .gwyddion_program import curves, needs_gwyddion
from .make_spectra import FIELDS, ROWS, dat_bytes


def _read(folder: Path, content: bytes) -> Spectrum:
    path = folder / "spectrum.dat"
    path.write_bytes(content)
    return read_spectrum(path)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_spectrum_with_units_directions_and_position(tmp_path: Path, end: str) -> None:
    spectrum = _read(tmp_path, dat_bytes(end=end))
    assert (spectrum.sweep.name, spectrum.sweep.unit) == ("Bias calc", "V")
    np.testing.assert_array_equal(spectrum.sweep.data, [-1, 0, 1])
    assert [(c.label, c.unit) for c in spectrum.channels] == [
        ("Current forward", "A"),
        ("Current backward", "A"),
        ("Current [filt] forward", "A"),
    ]
    np.testing.assert_array_equal(spectrum.channel("current").data, [1e-12, 3e-12, 5e-12])
    np.testing.assert_array_equal(spectrum.channel("Current", "backward").data, [2e-12, np.nan, -6e-12])
    assert np.isnan(spectrum.channel("Current [filt]").data).all()
    assert spectrum.position == (1e-9, -2e-9, 3e-9)
    assert spectrum.recorded == "2016-01-14 15:19:44"
    assert spectrum.experiment == "bias spectroscopy"
    with pytest.raises(RequestError, match="Current backward"):
        spectrum.channel("Phase")


def test_missing_and_repeated_fields_and_latin_1(tmp_path: Path) -> None:
    first = _read(tmp_path, dat_bytes(("Experiment\tone", "Experiment\ttwo", "User\tJürgen", "X (m)\tN/A")))
    assert first.header == {"Experiment": "one", "User": "Jürgen", "X (m)": "N/A"}
    assert (first.position, first.bias_v, first.setpoint_a, first.recorded) == (None, None, None, "")
    bare = _read(tmp_path, dat_bytes(("Saved Date\t1.2.2020 03:04:05", "Bias>Bias (V)\t-20E-3")))
    assert (bare.recorded, bare.bias_v) == ("2020-02-01 03:04:05", -0.02)


def test_the_setpoint_is_a_current_or_nothing(tmp_path: Path) -> None:
    for unit, setpoint in (("A", 1e-10), ("Hz", None)):
        fields = (*FIELDS, "Z-Controller>Setpoint\t100E-12", f"Z-Controller>Setpoint unit\t{unit}")
        assert _read(tmp_path, dat_bytes(fields)).setpoint_a == setpoint


def test_units_come_in_si(tmp_path: Path) -> None:
    spectrum = _read(tmp_path, dat_bytes(titles="Z rel (nm)\tI (pA)", rows=("2\t3", "4\t5,5")))
    assert (spectrum.sweep.unit, spectrum.channels[0].unit) == ("m", "A")
    np.testing.assert_allclose(spectrum.sweep.data, [2e-9, 4e-9], rtol=1e-12)
    np.testing.assert_allclose(spectrum.channels[0].data, [3e-12, 5.5e-12], rtol=1e-12)


def test_two_columns_of_one_title_stay_apart(tmp_path: Path) -> None:
    spectrum = _read(tmp_path, dat_bytes(titles="t (s)\tI (A)\tI (A)", rows=("0\t1\t2\t",)))
    assert [c.name for c in spectrum.channels] == ["I", "I (2)"]


def test_damaged_lines_are_named(tmp_path: Path) -> None:
    for rows, said in [
        ((*ROWS, "1\t2\t3"), "line 12 has 3 values"),
        ((*ROWS, "1\t2\tx\t4"), "line 12, column 3: 'x' is not a number"),
        ((), "no complete point"),
    ]:
        with pytest.raises(FileError, match=said):
            _read(tmp_path, dat_bytes(rows=rows))
    with pytest.raises(FileError, match="longer than"):
        _read(tmp_path, dat_bytes() + b"1" * (2**20 + 5))


def test_cut_at_any_byte_gives_whole_points_or_one_clear_error(tmp_path: Path) -> None:
    content = dat_bytes((*FIELDS, "Bias Spectroscopy>Num Pixel\t3"))
    whole = _read(tmp_path, content)
    assert not whole.notes
    for length in range(1, len(content)):
        path = tmp_path / "cut.dat"
        path.write_bytes(content[:length])
        try:
            cut = read_spectrum(path)
        except FileError as error:
            assert error.path == path
            continue
        # no number is ever a part of one
        np.testing.assert_array_equal(cut.sweep.data, whole.sweep.data[: cut.points])
        for ours, theirs in zip(cut.channels, whole.channels, strict=True):
            np.testing.assert_array_equal(ours.data, theirs.data[: cut.points])
        assert cut.points < 3 and f"{cut.points} of 3 points" in cut.notes[-1]


def test_a_spectrum_is_no_image_and_an_image_no_spectrum(tmp_path: Path) -> None:
    path = tmp_path / "image.sxm"
    path.write_bytes(dat_bytes())
    assert kind_of(path) == "dat"
    with pytest.raises(FileError, match="is a Nanonis spectrum, not an image"):
        open_scan(path)
    np.save(tmp_path / "image.npy", np.zeros((3, 4)))
    with pytest.raises(FileError, match="is no spectrum"):
        read_spectrum(tmp_path / "image.npy")


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("package", ["nanonispy", "nanonispy2"])
def test_real_spectra_as_others_read_them(real_data: Path, package: str) -> None:
    reader = pytest.importorskip(package)
    compared = 0
    for path in sorted((real_data / "scans").rglob("*.dat")):
        if path.name.startswith("createc"):
            continue
        spectrum = read_spectrum(path)
        theirs = reader.read.Spec(str(path)).signals
        ours = [spectrum.sweep, *spectrum.channels]
        assert len(ours) == len(theirs)
        for curve, (title, values) in zip(ours, theirs.items(), strict=True):
            assert curve.unit == title.partition("(")[2].partition(")")[0]
            assert (curve.direction == "backward") == ("[bwd]" in title)
            np.testing.assert_allclose(curve.data, values, rtol=1e-12)
            compared += 1
        assert spectrum.position is not None and spectrum.recorded.startswith("20")
    assert compared >= 30


def _bare(title: str) -> str:
    return re.sub(r"\s*[\[(][^\])]*[\])]", "", title)


@pytest.mark.real_data
@pytest.mark.gwyddion
@needs_gwyddion
def test_real_spectra_as_gwyddion_reads_them(real_data: Path, tmp_path: Path) -> None:
    compared = 0
    for path in sorted((real_data / "scans").rglob("*.dat")):
        if path.name.startswith("createc"):
            continue
        spectrum = read_spectrum(path)
        theirs = curves(path, tmp_path)
        assert len(theirs) == len(spectrum.channels)
        for curve, found in zip(spectrum.channels, theirs, strict=True):
            # it keeps marks and units in some titles and leaves them out of others
            assert _bare(found["title"]) == _bare(curve.name)
            assert "[bwd]" not in found["title"] or curve.direction == "backward"
            assert found["unit"] in (curve.unit, "")
            up = spectrum.sweep.data[0] < spectrum.sweep.data[-1]
            np.testing.assert_allclose(curve.data[:: 1 if up else -1], found["data"], rtol=1e-6)
            # it keeps the ends of the sweep only, and turns a sweep down into one up
            assert found["sweep"] == pytest.approx(sorted(spectrum.sweep.data[[0, -1]]), rel=1e-6)
            compared += 1
    assert compared >= 30


@pytest.mark.real_data
def test_known_values_of_a_real_spectrum(real_data: Path) -> None:
    spectrum = read_spectrum(real_data / "scans/nanonis-xarray/i_v.dat")
    assert spectrum.position == pytest.approx((33.767e-9, 297.15e-9, -65.6494e-9))
    assert (spectrum.points, spectrum.bias_v) == (201, -8e-3)
    assert spectrum.channel("Frequency Shift", "backward").data[0] == -42.2059
