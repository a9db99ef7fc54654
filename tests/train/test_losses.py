import numpy as np
import pytest
import torch

from stmviewer.restore.trajectory import COSINE
from stmviewer.scan.metrics import ssim_map
from stmviewer.train.losses import keep_measured, laplace_loss, path_loss, restoration_loss, ssim

RADIUS = 5


def images(seed: int, count: int = 3, size: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    """A smooth truth and a noisy copy of it, (count, 1, size, size)."""
    rng = np.random.default_rng(seed)
    x = np.arange(size)
    truth = np.stack([np.sin(x[:, None] / (3 + k)) + 0.5 * np.cos(x[None, :] / (2 + k)) for k in range(count)])
    noisy = truth + 0.3 * rng.standard_normal(truth.shape)
    return tuple(torch.from_numpy(a[:, None].astype(np.float32)) for a in (noisy, truth))  # type: ignore[return-value]


def test_ssim_is_that_of_the_reports_on_the_valid_region():
    image, truth = images(0)
    expected = []
    for one, other in zip(image[:, 0].double().numpy(), truth[:, 0].double().numpy(), strict=True):
        low, high = np.quantile(other, (0.02, 0.98))
        inner = ssim_map(one, other, float(high - low))[RADIUS:-RADIUS, RADIUS:-RADIUS]
        expected.append(inner.mean())
    assert float(ssim(image, truth)) == pytest.approx(np.mean(expected), abs=1e-4)


def test_ssim_of_an_image_with_itself_is_one_at_every_scale_and_offset():
    _, truth = images(1)
    for scale, offset in ((1.0, 0.0), (1e-2, 0.0), (50.0, 3.0)):
        assert float(ssim(scale * truth + offset, scale * truth + offset)) == pytest.approx(1, abs=1e-3)


def test_ssim_of_a_constant_truth_is_finite():
    flat = torch.zeros(2, 1, 32, 32)
    value = ssim(flat + 0.1, flat)
    assert torch.isfinite(value)
    assert -1 <= float(value) <= 1


def test_restoration_loss_is_zero_at_the_truth_and_its_gradient_is_finite_there():
    _, truth = images(2)
    image = truth.clone().requires_grad_()
    loss = restoration_loss(image, truth)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0, abs=1e-5)
    assert torch.isfinite(image.grad).all()


def test_restoration_loss_adds_half_of_what_lacks_in_ssim():
    image, truth = images(3)
    expected = float((image - truth).abs().mean()) + 0.5 * (1 - float(ssim(image, truth)))
    assert float(restoration_loss(image, truth)) == pytest.approx(expected, rel=1e-6)


def test_laplace_loss_is_least_where_the_scale_is_the_error():
    error = torch.tensor([-0.3, 0.02, 1.7])
    at = error.abs().log()
    least = laplace_loss(at, error)
    assert float(least) == pytest.approx(float((at + 1).mean()), rel=1e-6)
    for step in (-0.5, -0.01, 0.01, 0.5):
        assert laplace_loss(at + step, error) > least
    scale = at.clone().requires_grad_()
    laplace_loss(scale, error).backward()
    torch.testing.assert_close(scale.grad, torch.zeros(3), atol=1e-6, rtol=0)


def test_laplace_loss_teaches_the_scale_alone():
    error = torch.tensor([0.5], requires_grad=True)
    laplace_loss(torch.zeros(1, requires_grad=True), error).backward()
    assert error.grad is None


@pytest.mark.parametrize("time", [0.0, 0.25, 0.5, 0.68])
def test_path_loss_is_the_squared_error_of_the_velocity(time):
    """v = (x1 - x_t) / (1 - t): an error of the clean image of 0.1 is one of 0.1 / (1 - t) of the velocity."""
    target = torch.zeros(1, 1, 4, 4)
    found = path_loss(target + 0.1, target, torch.tensor([1 - time]))
    assert float(found) == pytest.approx((0.1 / (1 - time)) ** 2, rel=1e-5)


def test_path_loss_of_diffusion_is_the_squared_error_of_v():
    """v = a n - s x1, and n = (x_t - a x1) / s: with a^2 + s^2 = 1, v = (a x_t - x1) / s."""
    target, state = torch.zeros(1, 1, 4, 4), torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    a, s = (float(x) for x in COSINE.shares(torch.tensor(0.4)))
    v = [a * (state - a * x) / s - s * x for x in (target, target + 0.1)]
    assert float(path_loss(target + 0.1, target, torch.tensor([s]))) == pytest.approx(
        float(((v[1] - v[0]) ** 2).mean())
    )


def test_path_loss_has_a_weight_of_ten_at_most():
    target = torch.zeros(2, 1, 4, 4)
    assert float(path_loss(target + 1, target, torch.tensor([0.1, 0.0]))) == pytest.approx(10)


def test_path_loss_weighs_each_image_by_its_own_noise():
    target = torch.zeros(2, 1, 4, 4)
    clean = target.clone()
    clean[1] = 1
    assert float(path_loss(clean, target, torch.tensor([1.0, 0.5]))) == pytest.approx(4 / 2)
    assert float(path_loss(clean, target, torch.tensor([0.5, 1.0]))) == pytest.approx(1 / 2)


def test_measured_pixels_come_back_in_sparse_samples_alone():
    image, filled = torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4)
    measured = torch.zeros(2, 1, 4, 4)
    measured[:, :, ::2] = 1
    shown = keep_measured(image, filled, measured, torch.tensor([[0.0, 0, 0, 1], [1.0, 0, 0, 1]]))
    torch.testing.assert_close(shown[0], image[0])
    torch.testing.assert_close(shown[1], measured[1])
