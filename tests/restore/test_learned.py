"""Learned restorers: any size, tiles without seams, the same image for the same seed, stopped when asked."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import Tensor

from stmviewer.restore import ModelInfo
from stmviewer.restore.compressed import waves_guess
from stmviewer.restore.learned import LearnedRestorer
from stmviewer.restore.library import KINDS
from stmviewer.restore.models import AutoencoderModel, CfmModel, FlowModel, LearnedModel, RegressionModel
from stmviewer.restore.networks import STRIDE, UNetConfig
from stmviewer.restore.problem import Answer, Options, Problem
from stmviewer.scan import Cancelled, Progress, make_mask
from stmviewer.scan.progress import Advance

CPU = torch.device("cpu")


def restorer(model: LearnedModel) -> LearnedRestorer:
    return LearnedRestorer(ModelInfo("tiny", model.kind, "tiny", "", ("repair", "sparse"), True), model, CPU)


def problem(rows: int, columns: int, pattern: str = "lines:4", task: str = "sparse") -> Problem:
    image = np.random.default_rng(0).normal(size=(rows, columns))
    return Problem(image, make_mask(pattern, rows, columns).measured, task)  # type: ignore[arg-type]


def run(model: LearnedModel, given_problem: Problem, **options: int) -> Answer:
    return restorer(model).restore(given_problem, Options(**options), Progress())


class Same(RegressionModel):
    """Gives back the first guess, and refuses sizes that the network would refuse."""

    calls = 0

    def forward(self, filled: Tensor, measured: Tensor, task: Tensor) -> tuple[Tensor, Tensor]:
        Same.calls += 1
        assert filled.shape[2:] == measured.shape[2:]
        assert filled.shape[2] % STRIDE == filled.shape[3] % STRIDE == 0
        return filled[:, :1], torch.full_like(measured, -2.0)


@settings(deadline=None, max_examples=20)
@given(st.integers(8, 200), st.integers(8, 200), st.integers(32, 200))
def test_a_model_that_changes_nothing_changes_nothing_in_tiles(rows: int, columns: int, tile: int) -> None:
    answer = run(Same(UNetConfig(channels=(8,), blocks=(1,))), problem(rows, columns), tile=tile)
    expected = problem(rows, columns).image
    # normalised, blended between tiles and back in float32: a few roundings of the largest height
    assert np.abs(answer.mean - expected).max() < 8 * np.finfo(np.float32).eps * np.abs(expected).max()
    assert answer.deviation is not None
    assert answer.deviation == pytest.approx(np.full((rows, columns), 2**0.5 * np.exp(-2)), rel=1e-5)


@pytest.mark.parametrize("shape", [(32, 32), (33, 33), (45, 131), (8, 8), (9, 8), (32, 15), (512, 512)])
@pytest.mark.parametrize("kind", KINDS)
def test_any_size(shape: tuple[int, int], kind: str, request: pytest.FixtureRequest) -> None:
    answer = run(request.getfixturevalue(kind), problem(*shape), steps=1)
    assert answer.deviation is not None
    for image in (answer.mean, answer.deviation):
        assert image.shape == shape
        assert image.dtype == np.float64
        assert np.isfinite(image).all()
    assert answer.deviation.min() > 0


def test_padding_at_the_far_edges_does_not_reach_far_into_the_image(regression: RegressionModel) -> None:
    """Rows and columns up to the next multiple of 8 are reflected: cutting 5 off changes nothing well inside."""
    whole = problem(136, 136, "lines:1")
    cut = Problem(whole.image[:131, :131], whole.measured[:131, :131], "sparse")
    difference = np.abs(run(regression, whole).mean[:131, :131] - run(regression, cut).mean)
    assert difference[:72, :72].max() < 1e-5
    assert difference[-8:].max() > 1e-5


@pytest.mark.parametrize("tile", [96, 100, 128])
def test_tiles_leave_no_seams(regression: RegressionModel, tile: int) -> None:
    """Against the image in one piece, the last tiles too; the change that the network makes is the measure."""
    whole = problem(200, 333, "lines:1")
    one, tiled = (run(regression, whole, tile=t).mean for t in (4096, tile))
    assert np.abs(one - whole.image).mean() > 0.02
    assert np.abs(tiled - one).max() < 0.05 * np.abs(one - whole.image).mean()


def test_the_noise_of_a_flow_knows_no_tiles(flow: FlowModel) -> None:
    whole = problem(160, 150, "lines:1", "repair")
    one, tiled = (run(flow, whole, tile=t, steps=2, seed=3).mean for t in (4096, 96))
    other_noise = run(flow, whole, tile=4096, steps=2, seed=4).mean
    assert np.abs(tiled - one).mean() < 0.01 * np.abs(one - other_noise).mean()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_request_gives_the_same_image(kind: str, request: pytest.FixtureRequest) -> None:
    model, given_problem = request.getfixturevalue(kind), problem(64, 48)
    first, second = (run(model, given_problem, seed=5, steps=3, samples=2) for _ in range(2))
    assert first.deviation is not None
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.deviation, second.deviation)  # type: ignore[arg-type]


def test_the_seed_changes_a_flow_and_nothing_else(flow: FlowModel, regression: RegressionModel) -> None:
    given_problem = problem(64, 48)
    flows = [run(flow, given_problem, seed=s).mean for s in (0, 1)]
    means = [run(regression, given_problem, seed=s).mean for s in (0, 1)]
    assert np.abs(flows[0] - flows[1]).max() > 1e-3
    assert np.array_equal(means[0], means[1])


@pytest.mark.parametrize("kind", ["cfm", "diffusion"])
def test_samples_from_noise_know_no_tiles_and_differ(kind: str, request: pytest.FixtureRequest) -> None:
    model, whole = request.getfixturevalue(kind), problem(160, 150, "lines:1", "repair")
    one, tiled = (run(model, whole, tile=t, steps=2, seed=3).mean for t in (4096, 96))
    other_noise = run(model, whole, tile=4096, steps=2, seed=4).mean
    assert np.abs(tiled - one).mean() < 0.02 * np.abs(one - other_noise).mean()
    spread = run(model, whole, steps=2, samples=2).deviation
    assert spread is not None
    assert spread.max() > 0


def test_one_step_from_noise_is_the_mean_whatever_the_noise(cfm: CfmModel) -> None:
    given_problem = problem(64, 48, task="repair")
    one, other = (run(cfm, given_problem, steps=1, seed=s).mean for s in (0, 1))
    assert np.abs(one - other).max() < 1e-5
    assert np.abs(run(cfm, given_problem, steps=3).mean - one).max() > 1e-4


def test_an_autoencoder_leaves_no_seams_and_lets_nothing_past_its_bottleneck(
    autoencoder: AutoencoderModel,
) -> None:
    whole = problem(200, 333, "lines:1", "repair")
    one, tiled = (run(autoencoder, whole, tile=t).mean for t in (4096, 128))
    assert np.abs(tiled - one).max() < 0.1 * np.abs(one).max()
    with torch.no_grad():
        autoencoder.net.squeeze.weight.zero_()
    image = run(autoencoder, whole).mean
    other = Problem(whole.image[::-1].copy(), whole.measured, "repair")
    assert np.array_equal(image, run(autoencoder, other).mean)


def test_torch_itself_is_left_alone(flow: FlowModel) -> None:
    """No hidden state: neither does the global seed matter, nor is it moved."""
    given_problem = problem(40, 40)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = run(flow, given_problem).mean
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert np.array_equal(run(flow, given_problem).mean, first)


@pytest.mark.parametrize("log_scale", [-100.0, -5.0, 100.0])
def test_samples_are_averaged_and_their_spread_is_a_deviation(
    flow: FlowModel, log_scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the spread over samples and the error scale that the network gives, the larger one."""
    from stmviewer.restore import learned

    head = flow.regression.net.head[-1]
    head.weight.data[1], head.bias.data[1] = 0, log_scale  # clamped to -8 ... 3
    given_problem = problem(40, 40)
    many = run(flow, given_problem, samples=3, seed=2)
    draw = learned._noise
    singles = []
    for k in range(3):
        monkeypatch.setattr(learned, "_noise", lambda shape, seed, _, k=k: draw(shape, seed, k))
        singles.append(run(flow, given_problem, samples=1, seed=2))
    assert np.abs(np.mean([s.mean for s in singles], axis=0) - many.mean).max() < 1e-6
    own = 2**0.5 * np.exp(np.clip(log_scale, -8, 3))
    spread = np.std([s.mean for s in singles], axis=0, ddof=1)
    assert spread.max() > 1e-3
    assert many.deviation is not None
    assert np.abs(many.deviation - np.maximum(own, spread)).max() < 1e-5 * (1 + own)
    assert singles[0].deviation == pytest.approx(np.full((40, 40), own), rel=1e-5)


def test_neighbouring_seeds_share_no_sample() -> None:
    from stmviewer.restore.learned import _noise

    drawn = [_noise((16, 16), seed, k) for seed in range(4) for k in range(4)]
    assert len({n.tobytes() for n in drawn}) == 16
    correlation = np.corrcoef([n.ravel() for n in drawn])
    assert np.abs(correlation - np.eye(16)).max() < 0.35


def test_the_task_is_passed_on(flow: FlowModel) -> None:
    sparse = problem(40, 40)
    repair = Problem(sparse.image, sparse.measured, "repair")
    assert np.abs(run(flow, sparse).mean - run(flow, repair).mean).max() > 1e-3


@pytest.mark.parametrize("kind", ["regression", "flow"])
def test_bfloat16_is_close_and_repeatable(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, given_problem = request.getfixturevalue(kind), problem(40, 40)
    exact = run(model, given_problem)
    monkeypatch.setattr("stmviewer.restore.learned.fast_bf16", lambda device: True)
    first, second = (run(model, given_problem) for _ in range(2))
    assert np.array_equal(first.mean, second.mean)
    assert 0 < np.abs(first.mean - exact.mean).max() < 0.03  # of a corrugation of about one
    assert first.deviation is not None
    assert first.deviation == pytest.approx(exact.deviation, rel=0.05)


@pytest.mark.parametrize(("samples", "steps", "tile"), [(1, 1, 512), (3, 4, 64), (2, 7, 48)])
def test_the_bar_ends_full(flow: FlowModel, samples: int, steps: int, tile: int) -> None:
    seen: list[Advance] = []
    restorer(flow).restore(problem(96, 80), Options(steps, samples, 0, tile), Progress(seen.append))
    fractions = [a.fraction for a in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert fractions[-2] < 1  # and not before its time


def test_cancel_stops_between_steps(flow: FlowModel, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    seen: list[Advance] = []
    predictions = []
    predict = flow.forward

    def counted(*args: Tensor) -> Tensor:
        predictions.append(1)
        if len(predictions) == 3:
            stop.set()
        return predict(*args)

    monkeypatch.setattr(flow, "forward", counted)
    with pytest.raises(Cancelled):
        restorer(flow).restore(problem(64, 64), Options(steps=50, samples=2), Progress(seen.append, stop))
    assert len(predictions) == 3


def test_cancel_stops_between_tiles() -> None:
    stop = threading.Event()
    Same.calls = 0

    def report(_: Advance) -> None:
        if Same.calls == 2:
            stop.set()

    model = Same(UNetConfig(channels=(8,), blocks=(1,)))
    with pytest.raises(Cancelled):
        restorer(model).restore(problem(200, 200), Options(tile=64), Progress(report, stop))
    assert Same.calls == 2


class Sharp(RegressionModel):
    """Gives back the sharper guess."""

    def forward(self, filled: Tensor, measured: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        return filled[:, 1:2], torch.zeros_like(measured)


@pytest.mark.parametrize("pattern", ["pixels:0.25", "lines:4"])
def test_the_sharper_guess_of_scattered_pixels_is_compressed_sensing_where_a_network_knows_it(pattern: str) -> None:
    given = problem(48, 64, pattern)
    given = replace(given, image=gaussian_filter(given.image, 2.0).astype(np.float32), sharp=np.zeros((48, 64)))
    plain = run(Sharp(UNetConfig(channels=(8,), blocks=(1,), guesses=2)), given).mean
    waves = run(Sharp(UNetConfig(channels=(8,), blocks=(1,), guesses=2, waves=True)), given).mean
    assert not plain.any()
    expected = waves_guess(given.image, given.measured, Progress()) if pattern == "pixels:0.25" else plain
    assert waves == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", ["flow", "cfm", "diffusion"])
def test_bfloat16_leaves_no_seams_in_large_samples(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against one pass, in % of the corrugation, which is 2 on this scale."""
    from stmviewer.restore import learned

    model, whole = request.getfixturevalue(kind), problem(256, 192, "lines:1", "repair")

    def seams() -> np.ndarray:
        one, tiled = (run(model, whole, tile=t, steps=4).mean for t in (4096, 96))
        return np.abs(tiled - one) / 2 * 100

    monkeypatch.setattr(learned, "DEFAULT_TILE", 96)  # larger scans are large
    assert seams().max() < 0.05
    monkeypatch.setattr(learned, "fast_bf16", lambda device: True)
    mixed = seams()
    evaluate = LearnedRestorer._evaluate

    def rounded(self, problems, tile, noise, steps, exact, progress):  # type: ignore[no-untyped-def]
        assert exact
        return evaluate(self, problems, tile, noise, steps, False, progress)

    monkeypatch.setattr(LearnedRestorer, "_evaluate", rounded)
    everywhere = seams()
    assert mixed.max() < 0.05
    assert mixed.mean() < 0.5 * everywhere.mean()


def test_a_scan_in_one_tile_is_as_fast_as_bfloat16_makes_it(flow: FlowModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """No seams, no float32: only scans larger than a tile, or in smaller tiles, take its time; regressions never."""
    from stmviewer.restore import exactness, learned

    monkeypatch.setattr(learned, "fast_bf16", lambda device: True)
    seen: list[torch.dtype] = []
    enter = exactness.InFloat32.forward

    def counted(self: exactness.InFloat32, *x: Tensor) -> Tensor:
        out = enter(self, *x)
        seen.append(out.dtype)
        return out

    monkeypatch.setattr(exactness.InFloat32, "forward", counted)
    run(flow, problem(96, 96), steps=2)
    assert not seen
    run(flow, problem(96, 96), steps=2, tile=64)
    assert seen == [torch.float32] * len(seen) and len(seen) == 2 * 4  # steps of four tiles
    seen.clear()
    run(flow.regression, problem(96, 96), tile=64)
    assert not seen


def test_the_model_with_an_exact_head_shares_its_weights_and_leaves_the_model_alone(flow: FlowModel) -> None:
    from stmviewer.restore.exactness import InFloat32, with_exact_head

    twin = with_exact_head(flow)
    assert {id(p) for p in twin.parameters()} == {id(p) for p in flow.parameters()}
    assert not any(isinstance(m, InFloat32) for m in flow.modules())
    given = problem(40, 40)
    assert np.array_equal(run(twin, given).mean, run(flow, given).mean)  # in float32 it is the same network
