"""The mathematics of the flow: straight paths, and a sampler that a perfect predictor leads to the clean image."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from stmviewer.restore.models import SOURCE_NOISE, AutoencoderModel, CfmModel, FlowModel, RegressionModel
from stmviewer.restore.networks import condition
from stmviewer.restore.sampling import sample
from stmviewer.restore.starting import build, grown, sampler_from
from stmviewer.restore.trajectory import STRAIGHT, times

from .conftest import TINY

SPARSE = torch.tensor([condition(True, 0.25, 1e-10)] * 2)


def images(*names: str) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 1, 16, 16, generator=generator, dtype=torch.float64) for _ in names]


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 50])
def test_times_run_from_zero_to_one_in_equal_steps(steps: int) -> None:
    found = times(steps)
    assert found[0] == 0
    assert found[-1] == 1
    assert [b - a for a, b in pairwise(found)] == pytest.approx([1 / steps] * steps)


@pytest.mark.parametrize("steps", [1, 2, 5, 17])
def test_a_perfect_predictor_stays_on_the_straight_path_and_lands_on_the_clean_image(steps: int) -> None:
    x0, x1 = images("x0", "x1")
    state = x0
    for t, t_next in pairwise(times(steps)):
        state = STRAIGHT.step(state, x1, t, t_next)
        assert torch.allclose(state, (1 - t_next) * x0 + t_next * x1, atol=1e-12)
    assert torch.allclose(state, x1, atol=1e-12)


def test_a_constant_predictor_makes_the_velocity_constant() -> None:
    """v = (x1 - x_t) / (1 - t) is x1 - x0 everywhere on the path."""
    x0, x1 = images("x0", "x1")
    for t in (0.0, 0.3, 0.9):
        on_path = (1 - t) * x0 + t * x1
        small = 1e-3
        velocity = (STRAIGHT.step(on_path, x1, t, t + small) - on_path) / small
        assert torch.allclose(velocity, x1 - x0, atol=1e-9)


class Oracle:
    """Stands in for a flow model: predicts `clean` whatever it is shown, and remembers the times."""

    trajectory = STRAIGHT
    starts_at_mean = False

    def __init__(self, clean: Tensor) -> None:
        self.clean = clean
        self.times: list[float] = []
        self.states: list[Tensor] = []

    def source(self, mean: Tensor, noise: Tensor) -> Tensor:
        return mean + SOURCE_NOISE * noise

    def __call__(self, state: Tensor, time: Tensor, *_: Tensor) -> Tensor:
        self.times.append(float(time[0]))
        self.states.append(state)
        return self.clean


def drawn(oracle: Oracle, task: float, measured: Tensor, filled: Tensor, steps: int) -> tuple[Tensor, int]:
    mean, noise = images("mean", "noise")
    ticks = []
    label = torch.tensor([condition(task > 0.5, 0.25, None)] * 2)
    image = sample(oracle, mean, filled, measured, label, noise, steps, lambda: ticks.append(1))  # type: ignore[arg-type]
    assert torch.equal(oracle.states[0], mean + SOURCE_NOISE * noise)
    return image, len(ticks)


@pytest.mark.parametrize("steps", [1, 4, 9])
def test_sampling_takes_one_prediction_and_one_tick_a_step(steps: int) -> None:
    clean, filled, _ = images("clean", "filled", "rest")
    oracle = Oracle(clean)
    image, ticks = drawn(oracle, 0.0, torch.zeros_like(clean), filled, steps)
    assert ticks == len(oracle.times) == steps
    assert oracle.times == pytest.approx([k / steps for k in range(steps)])
    assert torch.allclose(image, clean, atol=1e-12)


@pytest.mark.parametrize("steps", [2, 4])
def test_sparse_paths_run_through_the_measured_pixels_and_end_with_the_prediction(steps: int) -> None:
    clean, filled, _ = images("clean", "filled", "rest")
    measured = (torch.arange(16) % 4 == 1).double()[None, None, :, None].expand(2, 1, 16, 16)
    known = measured > 0.5
    for task, leads_to in ((1.0, torch.where(known, filled, clean)), (0.0, clean)):
        oracle = Oracle(clean)
        image, _ = drawn(oracle, task, measured, filled, steps)
        start, t = oracle.states[0], oracle.times[-1]
        assert torch.allclose(oracle.states[-1], (1 - t) * start + t * leads_to, atol=1e-12)
        # the last word is the network's own, so that its residual at measured pixels means something
        assert torch.allclose(image, clean, atol=1e-12)


def test_regression_predicts_what_is_to_be_added_to_the_first_guess(regression: RegressionModel) -> None:
    filled, measured = (i.float() for i in images("filled", "measured"))
    with torch.inference_mode():
        mean, log_scale = regression(filled, measured, SPARSE)
        for parameter in regression.net.head[-1].parameters():
            parameter.zero_()
        untouched, _ = regression(filled, measured, SPARSE)
    assert mean.shape == log_scale.shape == filled.shape
    assert torch.equal(untouched, filled)
    assert log_scale.min() >= -8
    assert log_scale.max() <= 3


def test_a_flow_starts_at_the_mean_of_its_frozen_regression(flow: FlowModel) -> None:
    filled, measured, noise = (i.float() for i in images("filled", "measured", "noise"))
    mean, log_scale = flow.mean(filled, measured, SPARSE)
    expected, expected_scale = flow.regression(filled, measured, SPARSE)
    assert torch.equal(mean, expected)
    assert torch.equal(log_scale, expected_scale)
    assert not mean.requires_grad
    assert not any(p.requires_grad for p in flow.regression.parameters())
    assert all(p.requires_grad for p in flow.net.parameters())
    assert torch.equal(flow.source(mean, noise), mean + SOURCE_NOISE * noise)


def test_a_second_guess_is_seen_only_by_networks_that_were_made_for_it(regression: RegressionModel) -> None:
    filled, sharp, measured = (i.float() for i in images("filled", "sharp", "measured"))
    torch.manual_seed(0)
    with torch.inference_mode():
        plain, _ = regression(filled, measured, SPARSE)
        assert torch.equal(regression(torch.cat([filled, sharp], dim=1), measured, SPARSE)[0], plain)
        larger = RegressionModel(replace(TINY, guesses=2, told=True)).eval()
        with_first = larger(torch.cat([filled, filled], dim=1), measured, SPARSE)[0]
        assert not torch.allclose(larger(torch.cat([filled, sharp], dim=1), measured, SPARSE)[0], with_first, atol=1e-4)


@pytest.mark.parametrize("kind", ["regression", "flow", "cfm", "diffusion"])
def test_a_grown_model_computes_the_same_until_it_is_trained(kind: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(kind)
    larger = grown(model)
    assert larger.config.guesses == 2
    assert larger.config.told
    assert grown(larger) is larger
    filled, sharp, measured, state, mean = (i.float() for i in images("filled", "sharp", "measured", "state", "mean"))
    both = torch.cat([filled, sharp], dim=1)
    with torch.inference_mode():
        if isinstance(model, RegressionModel):
            assert torch.allclose(larger(both, measured, SPARSE)[0], model(filled, measured, SPARSE)[0], atol=1e-6)
            return
        time = torch.tensor([0.0, 0.5])
        before = model(state, time, mean, filled, measured, SPARSE)
        assert torch.allclose(larger(state, time, mean, both, measured, SPARSE), before, atol=1e-6)
        inner = model.mean(filled, measured, SPARSE)[0]
        assert torch.allclose(larger.mean(both, measured, SPARSE)[0], inner, atol=1e-6)


def test_noise_alone_does_not_enter_and_the_state_does_later(cfm: CfmModel) -> None:
    """At time 0 the network is a regression: the same prediction for any state."""
    first, measured, state, other = (i.float() for i in images("first", "measured", "state", "other"))
    given = first, first, measured, SPARSE
    with torch.inference_mode():
        start, later = torch.zeros(2), torch.full((2,), 0.5)
        assert torch.equal(cfm(state, start, *given), cfm(other, start, *given))
        assert torch.equal(cfm(state, start, *given), cfm.mean(first, measured, SPARSE)[0])
        assert not torch.allclose(cfm(state, later, *given), cfm(other, later, *given), atol=1e-3)


@pytest.mark.parametrize("kind", ["cfm", "diffusion"])
@pytest.mark.parametrize("guesses", [1, 2])
def test_a_sampler_starts_as_the_regression_at_all_times(kind: str, guesses: int) -> None:
    torch.manual_seed(0)
    start = RegressionModel(replace(TINY, guesses=guesses, told=guesses == 2)).eval()
    before = {name: value.clone() for name, value in start.state_dict().items()}
    made = sampler_from(kind, start).eval()
    assert made.kind == kind
    filled, sharp, measured, state = (i.float() for i in images("filled", "sharp", "measured", "state"))
    both = torch.cat([filled, sharp], dim=1)
    with torch.inference_mode():
        expected, scale = start(both[:, :guesses], measured, SPARSE)
        for t in (0.0, 0.4, 1.0):
            found = made.predict(state, torch.full((2,), t), filled, both, measured, SPARSE)
            assert torch.allclose(found[0], expected, atol=1e-5)
            assert found[1] is not None
            assert torch.allclose(found[1], scale, atol=1e-5)
    # the start is left as it was, and both inputs that it did not have can be learnt
    assert all(torch.equal(value, before[name]) for name, value in start.state_dict().items())
    assert all(p.requires_grad for p in made.parameters())


def test_an_autoencoder_gives_an_image_and_not_a_correction(autoencoder: AutoencoderModel) -> None:
    filled, measured = (i.float() for i in images("filled", "measured"))
    with torch.no_grad():
        for parameter in autoencoder.net.head[-1].parameters():
            parameter.zero_()
        image, log_scale = autoencoder(filled, measured, SPARSE)
    assert torch.equal(image, torch.zeros_like(filled))
    assert torch.equal(log_scale, torch.zeros_like(filled))
    assert autoencoder.net.encode(torch.cat([filled, measured], dim=1), torch.zeros(2, 16)).shape == (2, 6, 2, 2)


def test_an_autoencoder_needs_a_bottleneck() -> None:
    with pytest.raises(ValueError, match="bottleneck of 1 channel or more"):
        AutoencoderModel(TINY)
    made = build("autoencoder", TINY)
    assert made.config.bottleneck > 0
