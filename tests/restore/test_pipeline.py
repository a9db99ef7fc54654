"""One restoration from scan to result: units, trust, scores, frames, provenance, and nothing changed on the way."""

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stmviewer.files.provenance import to_json
from stmviewer.restore import Restoration, RestoreRequest
from stmviewer.restore.classical import CLASSICAL
from stmviewer.restore.consistency import consistent
from stmviewer.restore.filling import fill
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Cancelled, Channel, Geometry, Progress, RequestError, Scan, make_mask
from stmviewer.scan.levelling import row_offsets
from stmviewer.scan.metrics import compare
from stmviewer.scan.progress import Advance

RNG = np.random.default_rng(0)
SPARSE = [name for name, r in CLASSICAL.items() if "sparse" in r.info.tasks]
LEARNED = ["regression", "flow"]

pytestmark = pytest.mark.usefixtures("tiny_models")
MakeScan = Callable[..., Scan]


def run(scan: Scan, **request: Any) -> Restoration:
    return restore(scan, RestoreRequest(device="cpu", **request), Progress())


def sparse(scan: Scan, mask: str | None = "lines:4", **request: Any) -> Restoration:
    return run(scan, task="sparse", mask=mask, **request)


class TestTrust:
    @pytest.mark.parametrize("model", [*SPARSE, *LEARNED])
    @pytest.mark.parametrize("mask", ["lines:4", "grid:3", "pixels:0.3"])
    def test_kept_pixels_are_the_measured_ones_to_the_last_bit(
        self, model: str, mask: str, make_scan: MakeScan
    ) -> None:
        scan = make_scan()
        result = sparse(scan, mask, model=model)
        given = result.mask.measured
        assert np.array_equal(result.mean[given], scan.channel().data[given])
        assert np.array_equal(result.inferred, ~given)
        assert np.isfinite(result.mean).all()

    @pytest.mark.parametrize("model", LEARNED)
    def test_the_residual_is_taken_before_measured_pixels_are_put_back(self, model: str, make_scan: MakeScan) -> None:
        kept, agreeing = (sparse(make_scan(), model=model, trust=t) for t in ("keep", "consistent"))
        for result in (kept, agreeing):
            assert np.array_equal(np.isfinite(result.residual), result.mask.measured)
            rms = np.sqrt(np.mean(result.residual[result.mask.measured] ** 2))
            assert result.residual_rms == pytest.approx(rms)
            assert rms > 1e-3 * np.ptp(result.raw[result.mask.measured])
        assert np.array_equal(kept.residual, agreeing.residual, equal_nan=True)

    def test_interpolation_has_no_residual(self, make_scan: MakeScan) -> None:
        assert sparse(make_scan(), model="linear").residual_rms == 0

    def test_consistent_images_agree_at_low_frequency_and_are_inferred_everywhere(self, make_scan: MakeScan) -> None:
        result = sparse(make_scan(), model="regression", trust="consistent")
        given = result.mask.measured
        left = (result.mean - result.raw)[given]
        assert np.abs(left).max() > 0  # not put back
        assert abs(left.mean()) < 0.2 * abs(result.residual[given].mean())
        assert result.inferred.all()

    def test_a_posterior_mean_is_shown_as_it_is_between_measured_pixels(self, make_scan: MakeScan) -> None:
        """Its agreement with the noise of the measurement would cost more than it gains; samples of a flow do agree."""
        for model in ("regression", "flow"):
            kept, agreeing = (sparse(make_scan(), model=model, trust=t).mean for t in ("keep", "consistent"))
            hidden = ~make_mask("lines:4", *kept.shape).measured
            assert np.array_equal(kept[hidden], agreeing[hidden]) == (model == "flow")

    def test_a_constant_error_of_the_prediction_is_taken_out_where_there_are_measurements(self) -> None:
        truth = RNG.random((60, 60))
        measured = make_mask("lines:4", 60, 60).measured
        measured[30:] = False
        image = truth + 0.7
        result = consistent(image, np.where(measured, 0.7, np.nan), measured)
        assert np.abs(result - truth)[:30].max() < 1e-12
        assert np.array_equal(result[40:], image[40:])  # nothing to agree with there

    def test_noise_of_single_pixels_is_imported_damped(self) -> None:
        measured = np.ones((40, 40), dtype=bool)
        noise = RNG.normal(size=(40, 40))
        result = consistent(np.zeros((40, 40)), -noise, measured)
        # the variance that a Gaussian of sigma 1.25 leaves of white noise: 1 / (4 pi sigma^2)
        assert result.std() == pytest.approx(1 / np.sqrt(4 * np.pi * 1.25**2), rel=0.15)

    def test_repairs_are_inferred_everywhere(self, make_scan: MakeScan) -> None:
        result = run(make_scan(), model="regression")
        assert result.inferred.all()
        assert np.isfinite(result.residual).all()
        assert np.array_equal(result.residual, result.mean - result.raw)
        assert result.scores == ()


class TestDeviation:
    def test_it_is_zero_at_kept_pixels_only(self, make_scan: MakeScan) -> None:
        for trust in ("keep", "consistent"):
            result = sparse(make_scan(), model="flow", samples=3, trust=trust)
            assert result.deviation is not None
            assert (result.deviation[~result.mask.measured] > 0).all()
            assert (result.deviation[result.mask.measured] == 0).all() == (trust == "keep")

    def test_classical_methods_claim_none(self, make_scan: MakeScan) -> None:
        assert sparse(make_scan(), model="cubic").deviation is None


class TestUnits:
    @pytest.mark.parametrize("model", [*SPARSE, *LEARNED])
    def test_unit_and_tilt_go_through(self, model: str, make_scan: MakeScan) -> None:
        y, x = np.mgrid[0:64, 0:64]
        data = 1e10 * make_scan().channel().data + RNG.normal(0, 0.02, (64, 64))
        plane = 0.3 * x - 0.1 * y + 40.0
        one = sparse(make_scan(data), "pixels:0.4", model=model)
        for factor in (1e-9, 1e4):
            other = sparse(make_scan(factor * (data + plane)), "pixels:0.4", model=model)
            assert np.abs(other.mean / factor - plane - one.mean).max() < 1e-4 * np.ptp(data)
            if one.deviation is not None:
                assert other.deviation is not None
                assert np.abs(other.deviation / factor - one.deviation).max() < 1e-4 * np.ptp(data)
            for score, expected in zip(other.scores, one.scores, strict=True):
                assert score.ssim == pytest.approx(expected.ssim, abs=1e-4)
                assert score.psnr_hidden_db == pytest.approx(expected.psnr_hidden_db, abs=1e-2)
                assert score.mae_hidden == pytest.approx(factor * expected.mae_hidden, rel=1e-3)

    @pytest.mark.parametrize("model", ["tv", "row-median", *LEARNED])
    def test_repairs_go_through_too(self, model: str, make_scan: MakeScan) -> None:
        y, x = np.mgrid[0:64, 0:64]
        data = 1e10 * make_scan().channel().data + RNG.normal(0, 0.02, (64, 64))
        plane = 0.3 * x + 40.0 - 0.0 * y
        one, other = run(make_scan(data), model=model), run(make_scan(1e-9 * (data + plane)), model=model)
        assert np.abs(1e9 * other.mean - plane - one.mean).max() < 1e-4 * np.ptp(data)

    def test_the_unit_of_the_channel_stays(self, make_scan: MakeScan) -> None:
        assert sparse(make_scan(unit="A"), model="linear").unit == "A"


class TestScores:
    def test_the_model_stands_beside_linear_interpolation(self, make_scan: MakeScan) -> None:
        scan = make_scan()
        result = sparse(scan, model="cubic")
        truth, given = scan.channel().data, result.mask.measured
        assert [s.method for s in result.scores] == ["cubic", "linear"]
        linear = fill(np.where(given, truth, np.nan), given)
        first, last = np.nonzero(given[:, 0])[0][[0, -1]]
        linear_run = sparse(scan, model="linear")
        assert np.abs(linear_run.mean - linear)[first : last + 1].max() < 1e-12 * np.ptp(truth)
        for score, image in zip(result.scores, (result.mean, linear_run.mean), strict=True):
            q = compare(image, truth, ~given)
            assert score.ssim == pytest.approx(q.ssim, abs=1e-9)
            assert score.ssim_hidden == pytest.approx(q.ssim_hidden, abs=1e-9)
            assert score.psnr_db == pytest.approx(q.psnr_db)
            assert score.psnr_hidden_db == pytest.approx(q.psnr_hidden_db)
            assert score.mae_hidden == pytest.approx(np.abs(image - truth)[~given].mean())
        assert result.truth is not None
        assert np.array_equal(result.truth, truth)

    def test_linear_is_not_compared_with_itself(self, make_scan: MakeScan) -> None:
        assert [s.method for s in sparse(make_scan(), model="linear").scores] == ["linear"]

    @pytest.mark.parametrize("mask", ["pixels:0.3", "lines:4", "grid:3"])
    def test_linear_interpolation_beside_another_model_is_the_same(self, mask: str, make_scan: MakeScan) -> None:
        scan = make_scan()
        alone = sparse(scan, mask, model="linear").scores[0]
        for model in ("cubic", "regression"):
            beside = sparse(scan, mask, model=model).scores[1]
            assert vars(beside) == pytest.approx(vars(alone))

    def test_a_model_worse_than_interpolation_says_so(self, make_scan: MakeScan) -> None:
        y, x = np.mgrid[0:64, 0:64]
        smooth = make_scan(1e-9 * np.sin(x / 20) * np.cos(y / 20))
        untrained = sparse(smooth, "lines:2", model="regression")
        assert untrained.scores[0].ssim_hidden < untrained.scores[1].ssim_hidden
        assert "is better than regression-tiny" in untrained.warnings[0]  # found without the truth
        assert "linear interpolation is better than regression-tiny" in untrained.warnings[-1]
        assert sparse(smooth, "lines:2", model="cubic").warnings == ()

    def test_a_mask_that_hides_nothing_has_nothing_to_score(self, make_scan: MakeScan) -> None:
        result = sparse(make_scan(), "lines:1", model="cubic")
        assert result.scores[0].ssim == pytest.approx(1)
        assert np.isnan(result.scores[0].ssim_hidden)
        assert result.warnings == ()

    def test_unmeasured_pixels_of_the_file_are_neither_given_nor_scored(self, make_scan: MakeScan) -> None:
        data = make_scan().channel().data.copy()
        data[50:] = np.nan
        result = sparse(make_scan(data), "lines:2", model="linear")
        assert np.isfinite(result.mean).all()
        assert np.isfinite([result.scores[0].ssim, result.scores[0].mae_hidden]).all()
        hidden = ~result.mask.measured & np.isfinite(data)
        assert result.scores[0].mae_hidden == pytest.approx(np.abs(result.mean - data)[hidden].mean())


class TestOwnGaps:
    @pytest.mark.parametrize("model", [*SPARSE, *LEARNED])
    def test_nan_pixels_of_the_file_are_filled(self, model: str, make_scan: MakeScan) -> None:
        data = make_scan().channel().data.copy()
        data[RNG.random(data.shape) < 0.5] = np.nan
        scan = make_scan(data)
        result = sparse(scan, "file", model=model)
        assert np.isfinite(result.mean).all()
        assert np.array_equal(result.mean[result.mask.measured], data[np.isfinite(data)])
        assert np.array_equal(scan.channel().data, data, equal_nan=True)
        assert (result.truth, result.scores) == (None, ())

    @pytest.mark.parametrize("model", ["tv", "row-median", *LEARNED])
    def test_gaps_are_no_trouble_for_repairs(self, model: str, make_scan: MakeScan) -> None:
        data = make_scan().channel().data.copy()
        data[45:] = np.nan
        data[3, 3] = np.nan
        result = run(make_scan(data), model=model)
        assert np.isfinite(result.mean).all()
        assert np.array_equal(np.isfinite(result.residual), np.isfinite(data))

    @pytest.mark.parametrize("model", [*SPARSE, "regression"])
    def test_an_unfinished_scan_of_fewer_lines(self, model: str, make_scan: MakeScan) -> None:
        data = make_scan(rows=24, columns=96).channel().data.copy()
        data[15:] = np.nan
        result = sparse(make_scan(data, geometry=Geometry(96, 24, 1e-8, 1e-8)), "file", model=model)
        assert result.mean.shape == (96, 96)
        assert np.isfinite(result.mean).all()
        assert result.mask.measured.any(axis=1).sum() == 15


def physical(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """x and y on the sample (y up) of every pixel of a frame that is turned clockwise."""
    a = np.deg2rad(geometry.angle_deg)
    u = (np.arange(geometry.columns) + 0.5) / geometry.columns * geometry.width - geometry.width / 2
    v = ((np.arange(geometry.rows) + 0.5) / geometry.rows * geometry.height - geometry.height / 2)[:, None]
    x = geometry.centre[0] + u * np.cos(a) - v * np.sin(a)
    y = geometry.centre[1] - u * np.sin(a) - v * np.cos(a)
    return x, y


class TestFewerLines:
    @staticmethod
    def surface(geometry: Geometry) -> np.ndarray:
        x, y = physical(geometry)
        height: np.ndarray = 1e-10 * (np.sin(x / 3e-9) * np.cos(y / 2.2e-9 + 0.4) + 0.3 * np.sin(y / 4e-9))
        return height

    @pytest.mark.parametrize("angle", [0.0, 40.0])
    def test_a_smooth_surface_is_found_where_the_new_frame_says(self, angle: float, make_scan: MakeScan) -> None:
        geometry = Geometry(512, 128, 50e-9, 50e-9, angle_deg=angle, centre=(2e-8, -7e-8))
        lines = self.surface(geometry)
        result = sparse(make_scan(lines, geometry=geometry), "file", model="cubic")
        assert result.geometry.shape == result.mean.shape == (512, 512)
        truth = self.surface(result.geometry)
        inside = np.s_[8:-8]
        assert np.abs(result.mean - truth)[inside].max() < 1e-3 * np.ptp(truth)
        # the frame without its shift would be seen: half a pixel is 0.05 nm
        unmoved = self.surface(geometry.with_rows(512, result.geometry.height))
        assert np.abs(result.mean - unmoved)[inside].max() > 5e-3 * np.ptp(truth)
        assert np.array_equal(result.mean[result.mask.measured], lines.ravel())
        assert result.warnings == ()

    def test_lines_between_rows_agree_where_they_lie(self, make_scan: MakeScan) -> None:
        geometry = Geometry(256, 100, 25e-9, 25e-9)
        lines = self.surface(geometry)
        result = sparse(make_scan(lines, geometry=geometry), "file", model="cubic")
        truth = self.surface(result.geometry)
        assert np.abs(result.mean - truth)[6:-6].max() < 0.01 * np.ptp(truth)
        assert "do not lie on rows" in result.warnings[0]

    @pytest.mark.parametrize("model", ["regression", "flow"])
    def test_learned_models_too(self, model: str, make_scan: MakeScan) -> None:
        geometry = Geometry(128, 50, 12.8e-9, 12.8e-9)
        lines = self.surface(geometry)
        result = sparse(make_scan(lines, geometry=geometry), "file", model=model)
        assert result.mean.shape == (128, 128)
        assert np.array_equal(np.isfinite(result.residual), result.mask.measured)
        assert result.mask.measured.any(axis=1).sum() == 50


class TestAlignRows:
    def test_row_offsets_go_and_the_residual_shows_them(self, make_scan: MakeScan) -> None:
        clean = make_scan().channel().data
        offsets = RNG.normal(0, np.ptp(clean) / 4, 64)
        offsets -= np.polyval(np.polyfit(np.arange(64), offsets, 1), np.arange(64))
        scan = make_scan(clean + offsets[:, None])
        plain, aligned = (run(scan, model="regression", align_rows=a) for a in (False, True))
        spread = row_offsets(clean).std()
        assert row_offsets(plain.mean).std() > 0.5 * offsets.std()
        assert row_offsets(aligned.mean).std() < 0.2 * offsets.std() + spread
        found = -np.median(aligned.residual, axis=1)
        assert np.corrcoef(found, offsets)[0, 1] > 0.95

    def test_it_is_for_repairs_only(self, make_scan: MakeScan) -> None:
        scan = make_scan()
        plain, aligned = (sparse(scan, model="cubic", align_rows=a) for a in (False, True))
        assert np.array_equal(plain.mean, aligned.mean)


class TestRepeatable:
    @pytest.mark.parametrize("model", ["tv", "biharmonic", *LEARNED])
    def test_the_same_request_gives_the_same_bits(self, model: str, make_scan: MakeScan) -> None:
        first, second = (sparse(make_scan(), "pixels:0.3", model=model, seed=3, samples=2) for _ in range(2))
        assert np.array_equal(first.mean, second.mean)
        assert np.array_equal(first.residual, second.residual, equal_nan=True)
        assert (first.deviation is None) == (second.deviation is None)
        if first.deviation is not None and second.deviation is not None:
            assert np.array_equal(first.deviation, second.deviation)
        moving = ("made", "seconds")
        one, other = ({k: v for k, v in r.provenance.items() if k not in moving} for r in (first, second))
        assert one == other

    def test_the_seed_draws_mask_and_sample(self, make_scan: MakeScan) -> None:
        first, second = (sparse(make_scan(), "pixels:0.3", model="flow", seed=s) for s in (0, 1))
        assert not np.array_equal(first.mask.measured, second.mask.measured)
        first, second = (run(make_scan(), model="flow", seed=s) for s in (0, 1))
        assert np.abs(first.mean - second.mean).max() > 0


@pytest.mark.parametrize("task", ["repair", "sparse"])
@pytest.mark.parametrize("model", ["tv", "flow"])
def test_raw_data_is_never_changed(task: str, model: str, make_scan: MakeScan) -> None:
    data = 1e-10 * RNG.random((40, 40))
    kept = data.copy()
    scan = make_scan(data)
    result = run(scan, task=task, model=model, mask="lines:4" if task == "sparse" else None, align_rows=True)
    assert np.array_equal(data, kept)
    assert np.array_equal(scan.channel().data, kept)
    assert not np.shares_memory(result.mean, scan.channel().data)


@pytest.mark.parametrize("shape", [(8, 8), (32, 32), (33, 45), (45, 131)])
@pytest.mark.parametrize("model", ["cubic", "biharmonic", "tv", *LEARNED])
def test_any_size_from_the_least_on(shape: tuple[int, int], model: str, make_scan: MakeScan) -> None:
    result = sparse(make_scan(rows=shape[0], columns=shape[1]), "lines:2", model=model)
    assert result.mean.shape == shape
    assert np.isfinite(result.mean).all()


def test_provenance_says_how_the_image_came_about(tmp_path: Path, tiny_models: Path, make_scan: MakeScan) -> None:
    path = tmp_path / "scan.npy"
    np.save(path, make_scan().channel().data)
    result = sparse(make_scan(path=path), model="flow", steps=2, samples=2, seed=9)
    facts = result.provenance
    assert set(facts) == {
        "file", "file_sha256", "channel", "direction", "task", "request", "model", "model_sha256", "model_licence",
        "mask", "measured_fraction", "residual_rms", "unit", "scores", "warnings", "device", "versions", "platform",
        "made", "seconds", "precision", "methods", "choice", "choice_evidence", "self_check", "checks", "smaller_tile",
        "steps", "tip", "false_heights", "rows", "cells",
    }  # fmt: skip
    assert facts["file"] == "scan.npy"
    assert facts["file_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    weights = tiny_models / "flow-tiny.safetensors"
    assert facts["model_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert (facts["model"], facts["model_licence"], facts["device"]) == ("flow-tiny", "MIT", "cpu")
    assert (facts["channel"], facts["direction"], facts["task"], facts["unit"]) == ("Z", "forward", "sparse", "m")
    assert (facts["mask"], facts["measured_fraction"]) == ("lines:4", 0.25)
    assert set(facts["versions"]) == {"stmviewer", "numpy", "scipy", "torch"}
    assert [s["method"] for s in facts["scores"]] == ["flow-tiny", "linear"]
    written = json.loads(to_json(facts))
    assert RestoreRequest.from_json(json.dumps(written["request"])) == result.request
    assert result.request == RestoreRequest(
        task="sparse", mask="lines:4", model="flow", steps=2, samples=2, seed=9, device="cpu"
    )
    assert facts["methods"] == [{"name": "flow-tiny", "weight": 1.0, "sha256": facts["model_sha256"]}]
    tried = written["self_check"]
    assert {s["method"] for s in tried["scores"]} == {"flow-tiny", "linear", "cubic", "tv", "plate"}
    assert tried["hidden"].startswith("every 5th measured line")


def test_provenance_of_a_scan_without_a_file_and_a_method_without_weights(make_scan: MakeScan) -> None:
    facts = run(make_scan(), model="row-median").provenance
    assert (facts["file_sha256"], facts["model_sha256"], facts["scores"]) == ("", "", [])
    assert "torch" not in facts["versions"]


def test_channel_and_direction_are_chosen(make_scan: MakeScan) -> None:
    data = RNG.random((2, 32, 32))
    channels = [Channel("Current", "A", data[0], "forward"), Channel("Current", "A", data[1], "backward")]
    scan = Scan(channels, Geometry(32, 32, 1e-8, 1e-8))
    result = sparse(scan, model="linear", channel="current", direction="backward")
    assert result.channel is channels[1]
    assert np.array_equal(result.truth, data[1])  # type: ignore[arg-type]
    assert result.provenance["direction"] == "backward"


@pytest.mark.parametrize(
    ("request_values", "message"),
    [
        ({"model": "magic"}, "there is no model 'magic'"),
        ({"model": "linear"}, "model 'linear' does not do the task repair"),
        ({"channel": "Phase"}, "has no channel 'Phase'"),
        ({"task": "sparse", "model": "linear", "mask": "rows:4"}, "mask 'rows:4' is unknown"),
        ({"task": "sparse", "model": "linear"}, "fully measured"),
    ],
)
def test_bad_requests_are_explained(request_values: dict[str, Any], message: str, make_scan: MakeScan) -> None:
    with pytest.raises(RequestError) as caught:
        run(make_scan(), **request_values)
    assert message in str(caught.value)


@pytest.mark.parametrize("model", ["biharmonic", "flow"])
def test_the_bar_runs_to_the_end(model: str, make_scan: MakeScan) -> None:
    seen: list[Advance] = []
    restore(make_scan(), RestoreRequest(task="sparse", mask="lines:4", model=model), Progress(seen.append))
    fractions = [a.fraction for a in seen]
    assert fractions == sorted(fractions)
    assert 0.9 <= fractions[-1] <= 1
    assert "Loading the model" in {a.step for a in seen}


def test_cancel_stops_a_restoration(make_scan: MakeScan) -> None:
    stop = threading.Event()
    seen: list[Advance] = []

    def report(advance: Advance) -> None:
        seen.append(advance)
        if advance.step == "Restoring":
            stop.set()

    with pytest.raises(Cancelled):
        restore(make_scan(), RestoreRequest(model="flow", steps=900), Progress(report, stop))
    assert len(seen) < 10


def test_pixels_outside_of_training_are_told(tiny_models: Path, make_scan: MakeScan) -> None:
    manifest = tiny_models / "manifest.json"
    listed = json.loads(manifest.read_text())
    listed["regression-tiny"]["pixels_m"] = [0.05e-9, 0.2e-9]
    manifest.write_text(json.dumps(listed))
    data = make_scan().channel().data

    def warnings(pixel_m: float) -> tuple[str, ...]:
        rows, columns = data.shape
        frame = Geometry(columns, rows, columns * pixel_m, rows * pixel_m)
        scan = Scan([Channel("Z", "m", data)], frame)
        return restore(scan, RestoreRequest(model="regression-tiny"), Progress()).warnings

    assert warnings(0.1e-9) == ()
    assert warnings(1e-9)[0].startswith("The model was trained on pixels of 0.05 to 0.2 nm; these are 1 nm")


class TestMemory:
    """In images of float64; what torch takes for a tile is not counted, and does not grow with the scan."""

    @pytest.mark.parametrize(
        ("request_", "at_most", "kept"), [({"task": "repair"}, 7, 3.3), ({"task": "sparse", "mask": "lines:4"}, 9, 4.5)]
    )
    def test_a_large_scan_is_held_few_times(self, request_: dict[str, str], at_most: float, kept: float) -> None:
        import tracemalloc

        side = 1024
        data = 1e-10 * RNG.normal(size=(side, side))
        scan = Scan([Channel("Z", "m", data)], Geometry.of_pixels(side, side))
        # the checks look at parts of it that do not grow with it
        request = RestoreRequest(model="regression", device="cpu", check=False, **request_)  # type: ignore[arg-type]
        restore(small_of(scan), request, Progress())  # imports
        assert scan.channel().data.size == side**2
        tracemalloc.start()
        try:
            result = restore(scan, request, Progress())
            left, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert result.deviation is not None
        assert most < at_most * data.nbytes
        assert left < kept * data.nbytes  # mean, deviation and residual, and what was left of a scan with gaps

    def test_the_channels_of_a_result_are_its_arrays(self, make_scan: MakeScan) -> None:
        scan = make_scan()
        result = sparse(scan, model="regression")
        channels = {c.role: c for c in result.to_scan(scan).channels}
        assert channels["restored"].data is result.mean
        assert channels["deviation"].data is result.deviation
        assert channels["raw"].data is result.raw
        assert not result.residual.flags.writeable


def small_of(scan: Scan) -> Scan:
    return Scan([Channel("Z", "m", scan.channel().data[:64, :64])], Geometry.of_pixels(64, 64))
