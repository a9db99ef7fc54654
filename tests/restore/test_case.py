"""From scan and request to what is given to a model: masks, gaps, missing lines, and refusals."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stmviewer.restore import RestoreRequest
from stmviewer.restore.case import Case, load_mask, prepare
from stmviewer.scan import Channel, FileError, Geometry, RequestError, Scan, make_mask

RNG = np.random.default_rng(0)


def sparse(mask: str | None, seed: int = 0) -> RestoreRequest:
    return RestoreRequest(task="sparse", mask=mask, seed=seed)


def case_of(scan: Scan, request: RestoreRequest) -> Case:
    return prepare(scan, scan.channel(request.channel, request.direction), request)


class TestMaskFiles:
    def written(self, tmp_path: Path, **arrays: object) -> Path:
        path = tmp_path / "mask.npz"
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
        return path

    def test_a_mask_comes_back_with_its_pattern_and_seed(self, tmp_path: Path) -> None:
        mask = make_mask("pixels:0.25", 20, 30, seed=7)
        read = load_mask(self.written(tmp_path, **vars(mask)), (20, 30))
        assert np.array_equal(read.measured, mask.measured)
        assert (read.pattern, read.seed) == ("pixels:0.25", 7)

    def test_a_bare_array_is_a_mask(self, tmp_path: Path) -> None:
        measured = RNG.random((20, 30)) < 0.5
        np.save(tmp_path / "mine.npy", measured)
        read = load_mask(tmp_path / "mine.npy", (20, 30))
        assert np.array_equal(read.measured, measured)
        assert read.pattern == "mine.npy"

    @pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
    def test_numbers_are_true_where_they_are_not_zero(self, tmp_path: Path, dtype: type) -> None:
        measured = RNG.random((20, 30)) < 0.5
        path = self.written(tmp_path, measured=255 * measured.astype(dtype))
        assert np.array_equal(load_mask(path, (20, 30)).measured, measured)

    def test_nan_is_not_measured(self, tmp_path: Path) -> None:
        values = np.ones((20, 30))
        values[3] = np.nan
        assert np.array_equal(load_mask(self.written(tmp_path, measured=values), (20, 30)).measured, values == 1)

    @pytest.mark.parametrize(
        ("arrays", "cause"),
        [
            ({"other": np.ones((20, 30))}, "there is no array 'measured'"),
            ({"measured": np.ones((30, 20), bool)}, "the mask has 20 x 30 pixels, the scan 30 x 20"),
            ({"measured": np.ones(600, bool)}, "the mask has 600 pixels"),
            ({"measured": np.zeros((20, 30), bool)}, "the mask measures nothing"),
            ({"measured": np.full((20, 30), np.nan)}, "the mask measures nothing"),
            ({"measured": np.full((20, 30), "yes")}, "not true and false"),
            ({"measured": np.full((20, 30), 1j)}, "not true and false"),
            ({"measured": np.full((20, 30), None)}, "this is not a mask"),
            ({"measured": np.ones((20, 30), bool), "seed": np.arange(3)}, "this is not a mask"),
            ({"measured": np.ones((20, 30), bool), "seed": "x"}, "this is not a mask"),
        ],
    )
    def test_what_does_not_fit_is_named(self, arrays: dict[str, object], cause: str, tmp_path: Path) -> None:
        path = self.written(tmp_path, **arrays)
        with pytest.raises(FileError, match=cause) as caught:
            load_mask(path, (20, 30))
        assert caught.value.path == path

    @pytest.mark.parametrize("suffix", [".npz", ".npy"])
    def test_damaged_at_any_byte(self, suffix: str, tmp_path: Path) -> None:
        path = tmp_path / f"mask{suffix}"
        measured = make_mask("pixels:0.5", 20, 30).measured
        if suffix == ".npz":
            np.savez_compressed(path, measured=measured)
        else:
            np.save(path, measured)
        whole = path.read_bytes()
        damaged = [whole[:n] for n in range(0, len(whole), 5)]
        damaged += [whole[:n] + bytes([whole[n] ^ 0xFF]) + whole[n + 1 :] for n in range(len(whole))]
        refused = 0
        for content in damaged:
            path.write_bytes(content)
            try:
                assert load_mask(path, (20, 30)).measured.shape == (20, 30)
            except FileError:
                refused += 1
        assert refused > len(whole) / 5

    def test_missing_files_and_folders(self, tmp_path: Path) -> None:
        for path, cause in ((tmp_path / "none.npz", "there is no such file"), (tmp_path, "this is not a mask")):
            with pytest.raises(FileError, match=cause):
                load_mask(path, (20, 30))

    def test_a_request_names_a_mask_file(self, tmp_path: Path, make_scan: Callable[..., Scan]) -> None:
        mask = make_mask("grid:2", 64, 64)
        path = self.written(tmp_path, measured=mask.measured, pattern=mask.pattern, seed=0)
        case = case_of(make_scan(), sparse(str(path)))
        assert np.array_equal(case.mask.measured, mask.measured)
        assert case.truth is not None


def test_a_mask_hides_the_rest_of_a_full_scan(make_scan: Callable[..., Scan]) -> None:
    scan = make_scan()
    case = case_of(scan, sparse("pixels:0.25", seed=4))
    assert np.array_equal(case.mask.measured, make_mask("pixels:0.25", 64, 64, seed=4).measured)
    assert np.array_equal(np.isfinite(case.raw), case.mask.measured)
    assert case.truth is not None
    assert np.array_equal(case.truth, scan.channel().data)
    assert (case.placement, case.geometry) == (None, scan.geometry)


def test_a_mask_on_a_scan_with_gaps_measures_only_what_was_measured(make_scan: Callable[..., Scan]) -> None:
    data = make_scan().channel().data.copy()
    data[40:] = np.nan
    case = case_of(make_scan(data), sparse("lines:4"))
    assert case.mask.measured[:40].sum() == 10 * 64
    assert not case.mask.measured[40:].any()


def test_the_files_own_gaps_are_filled_without_a_truth(make_scan: Callable[..., Scan]) -> None:
    data = make_scan().channel().data.copy()
    data[RNG.random(data.shape) < 0.6] = np.nan
    for mask in ("file", None):
        case = case_of(make_scan(data), sparse(mask))
        assert np.array_equal(case.mask.measured, np.isfinite(data))
        assert case.truth is None
        assert case.mask.pattern == "unmeasured pixels of the file"
        assert np.array_equal(case.raw, data, equal_nan=True)


def test_fewer_lines_are_placed_on_square_pixels(make_scan: Callable[..., Scan]) -> None:
    data = RNG.random((32, 128))
    scan = make_scan(data, geometry=Geometry(128, 32, 2e-8, 2e-8))
    case = case_of(scan, sparse("file"))
    assert case.geometry.shape == case.raw.shape == (128, 128)
    assert np.array_equal(case.raw[np.arange(32) * 4 + 1], data)
    assert case.mask.fraction == 0.25
    assert case.mask.pattern == "32 lines of the file"
    assert np.nanmax(np.abs(case.residual(case.guess()))) < 1e-12


def test_unmeasured_pixels_of_fewer_lines_stay_unmeasured(make_scan: Callable[..., Scan]) -> None:
    data = RNG.random((32, 128))
    data[20:] = np.nan
    data[3, 50] = np.nan
    case = case_of(make_scan(data, geometry=Geometry(128, 32, 2e-8, 2e-8)), sparse("file"))
    assert case.mask.measured.sum() == 20 * 128 - 1
    assert np.isfinite(case.guess()).all()
    residual = case.residual(np.zeros((128, 128)))
    assert np.array_equal(np.isfinite(residual), case.mask.measured)


def test_residuals_of_lines_between_rows_are_taken_where_the_lines_lie(make_scan: Callable[..., Scan]) -> None:
    geometry = Geometry(128, 50, 2e-8, 2e-8)
    positions = (np.arange(50) + 0.5) * 2.56 - 0.5
    case = case_of(make_scan(np.repeat(positions[:, None], 128, 1), geometry=geometry), sparse("file"))
    ramp = np.repeat(np.arange(128.0)[:, None], 128, 1)
    assert np.nanmax(np.abs(case.residual(ramp))) < 1e-9
    assert np.abs(case.guess() - ramp)[2:-2].max() < 1e-9


def test_repair_takes_the_channel_as_it_is(make_scan: Callable[..., Scan]) -> None:
    scan = make_scan(RNG.random((32, 128)), geometry=Geometry(128, 32, 2e-8, 2e-8))
    case = case_of(scan, RestoreRequest())
    assert case.raw is scan.channel().data
    assert case.mask.fraction == 1
    assert (case.truth, case.placement, case.geometry) == (None, None, scan.geometry)


def refusal(scan: Scan, request: RestoreRequest) -> str:
    with pytest.raises(RequestError) as caught:
        case_of(scan, request)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (np.full((64, 64), np.nan), "no pixel was measured (the scan never ran)"),
        (np.full((64, 64), 3e-9), "every measured pixel has the same value (a constant channel)"),
        (np.ones((1, 1)), "1 x 1 pixels are too few to restore; 8 x 8 is the least"),
        (RNG.random((7, 64)), "64 x 7 pixels are too few"),
        (np.full((64, 64), np.inf), "no pixel was measured"),
    ],
)
@pytest.mark.parametrize("task", ["repair", "sparse"])
def test_what_cannot_be_restored_is_refused_with_the_reason(
    data: np.ndarray, reason: str, task: str, make_scan: Callable[..., Scan]
) -> None:
    text = refusal(make_scan(data), RestoreRequest(task=task))  # type: ignore[arg-type]
    assert text == f"untitled: Z forward cannot be restored: {reason}" or reason in text


def test_a_refusal_names_the_other_channels() -> None:
    channels = [Channel("Z", "m", np.zeros((32, 32))), Channel("Current", "A", RNG.random((32, 32)))]
    scan = Scan(channels, Geometry(32, 32, 1e-8, 1e-8), path=Path("x/scan7.sxm"))
    text = refusal(scan, RestoreRequest())
    assert text.startswith("scan7.sxm: Z forward cannot be restored")
    assert text.endswith("Other channels of this scan: Current")


def test_nothing_to_fill_is_refused_with_advice(make_scan: Callable[..., Scan]) -> None:
    assert "fully measured: choose a mask such as lines:4" in refusal(make_scan(), sparse(None))
    assert "the mask 'file' leaves nothing to restore" in refusal(make_scan(), sparse("file"))


def test_masks_that_leave_too_little_are_refused(make_scan: Callable[..., Scan]) -> None:
    assert "leaves 4 measured pixels; 16 is the least" in refusal(make_scan(), sparse("pixels:0.001"))
    assert "measures nothing" in refusal(make_scan(), sparse("lines:1000"))
    data = make_scan().channel().data.copy()
    data[1::4] = np.nan  # exactly the lines that the mask would measure
    assert "leaves 0 measured pixels" in refusal(make_scan(data), sparse("lines:4"))
