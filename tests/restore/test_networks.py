"""The backbone: any size that is a multiple of its stride, and the same picture wherever a tile is cut."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from stmviewer.restore.networks import (
    STRIDE,
    ChannelNorm,
    Head,
    UNet,
    UNetConfig,
    condition,
    fourier_features,
    parameter_count,
)
from stmviewer.restore.tiling import OVERLAP


@pytest.fixture
def net(tiny: UNetConfig) -> UNet:
    torch.manual_seed(0)
    return UNet(replace(tiny, inputs=3, outputs=2)).eval()


@torch.inference_mode()
def output(net: UNet, x: Tensor, task: float = 1.0, time: float = 0.0, pixel_m: float | None = None) -> Tensor:
    batch = x.shape[0]
    result: Tensor = net(x, torch.tensor([condition(task > 0.5, 0.25, pixel_m)] * batch), torch.full((batch,), time))
    return result


@pytest.mark.parametrize("shape", [(8, 8), (32, 32), (64, 40), (24, 136)])
@pytest.mark.parametrize("batch", [1, 3])
def test_output_has_the_size_of_the_input(net: UNet, shape: tuple[int, int], batch: int) -> None:
    out = output(net, torch.randn(batch, 3, *shape))
    assert out.shape == (batch, 2, *shape)
    assert torch.isfinite(out).all()


def test_images_of_a_batch_do_not_know_of_each_other(net: UNet) -> None:
    x = torch.randn(3, 3, 32, 32)
    together = output(net, x)
    assert torch.allclose(together[1:2], output(net, x[1:2]), atol=1e-5)


def test_task_and_time_are_seen(net: UNet) -> None:
    x = torch.randn(1, 3, 32, 32)
    plain = output(net, x)
    assert not torch.allclose(plain, output(net, x, task=0.0), atol=1e-6)
    assert not torch.allclose(plain, output(net, x, time=0.5), atol=1e-6)


def test_only_networks_that_are_told_the_sampling_see_it(tiny: UNetConfig) -> None:
    x = torch.randn(1, 3, 32, 32)
    for told in (False, True):
        torch.manual_seed(0)
        net = UNet(replace(tiny, inputs=3, outputs=2, told=told)).eval()
        fine, coarse, unknown = (output(net, x, pixel_m=p) for p in (0.03e-9, 0.2e-9, None))
        assert torch.equal(fine, coarse) == (not told)
        assert torch.equal(fine, unknown) == (not told)


@pytest.mark.parametrize("pixel_m", [None, 0.0, -1.0, float("nan"), float("inf"), 1.0, 0.6e-9, 1e-12])
def test_sizes_that_no_training_has_are_unknown(pixel_m: float | None) -> None:
    assert condition(True, 0.5, pixel_m) == [1.0, 0.0, 0.0, 0.5]


def reach(net: UNet, size: int) -> tuple[Tensor, Tensor]:
    """How much each input pixel matters to the output pixel in the middle, and its distance (larger of both axes)."""
    x = torch.randn(1, net.config.inputs, size, size, requires_grad=True)
    net(x, torch.tensor([condition(True, 0.25, None)]), torch.zeros(1))[0, 0, size // 2, size // 2].backward()
    assert x.grad is not None
    weight = x.grad.abs().sum((0, 1))
    along = (torch.arange(size) - size // 2).abs()
    return weight, torch.maximum(along[:, None], along[None, :])


def test_a_tile_shows_inside_what_the_whole_image_shows(net: UNet) -> None:
    weight, distance = reach(net, 160)
    radius = int(distance[weight > 0].max())
    x = torch.randn(1, 3, 192, 184)
    whole = output(net, x)
    for top, left in ((0, 0), (24, 16), (72, 48)):
        tile = output(net, x[:, :, top : top + 120, left : left + 120].contiguous())
        inner = slice(radius, 120 - radius)
        difference = tile[..., inner, inner] - whole[..., top : top + 120, left : left + 120][..., inner, inner]
        assert difference.numel() > 0
        assert difference.abs().max() < 1e-5


def test_a_tile_out_of_phase_shows_something_else(net: UNet) -> None:
    """Why tiles start at multiples of the stride."""
    x = torch.randn(1, 3, 192, 192)
    whole = output(net, x)
    tile = output(net, x[:, :, 4:124, 4:124].contiguous())
    assert (tile - whole[..., 4:124, 4:124])[..., 56:64, 56:64].abs().max() > 1e-3


def test_tiles_share_more_than_matters() -> None:
    """The network as it is trained: next to nothing from beyond the overlap reaches a pixel."""
    torch.manual_seed(0)
    weight, distance = reach(UNet(UNetConfig()), 256)
    assert weight[distance > OVERLAP].sum() < 1e-5 * weight.sum()


def test_the_norm_is_over_channels_only() -> None:
    norm = ChannelNorm(6)
    x = torch.randn(2, 6, 5, 4)
    expected = x / torch.sqrt((x**2).mean(1, keepdim=True) + 1e-4)
    assert torch.allclose(norm(x), expected, atol=1e-6)
    changed = x.clone()
    changed[:, :, 0, 0] = 100.0
    assert torch.equal(norm(changed)[:, :, 1:], norm(x)[:, :, 1:])


def test_the_norm_and_its_gradient_are_the_same_in_both_layouts_of_memory() -> None:
    torch.manual_seed(0)
    norm = ChannelNorm(6)
    plain = torch.randn(2, 6, 5, 4)
    plain[0, :, 2, 1] = 0.0  # nothing there: neither a value nor a gradient that is none
    innermost = plain.to(memory_format=torch.channels_last)
    found = []
    for x in (plain, innermost):
        x.requires_grad_()
        norm(x).square().sum().backward()
        found.append((norm(x), x.grad, norm.gain.grad))
        norm.gain.grad = None
    for first, second in zip(*found, strict=True):
        assert torch.allclose(first, second, atol=1e-5)
    assert norm(innermost).is_contiguous(memory_format=torch.channels_last)
    assert not norm(innermost)[0, :, 2, 1].any()


def test_the_head_sees_features_and_inputs_in_the_number_format_of_the_features() -> None:
    torch.manual_seed(0)
    config = UNetConfig(head=4, inputs=3)
    head = Head(config)
    features, x = torch.randn(1, 4, 8, 8), torch.randn(1, 3, 8, 8)
    together = torch.cat([features, x], dim=1)
    assert torch.equal(head(features, x), torch.nn.Sequential(*head)(together))
    with torch.autocast("cpu", torch.bfloat16):
        found = head(features.bfloat16(), x)
        expected = torch.nn.Sequential(*head)(torch.cat([features.bfloat16().float(), x], dim=1))
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, expected)


def test_fourier_features_are_sines_and_cosines() -> None:
    features = fourier_features(torch.tensor([0.0, 0.25]), 8)
    assert features.shape == (2, 8)
    assert torch.equal(features[0], torch.tensor([0.0] * 4 + [1.0] * 4))
    assert torch.allclose(features[1, 0], torch.sin(torch.tensor(0.25)))  # the lowest frequency is 1
    assert torch.allclose(features[1, 3], torch.sin(torch.tensor(250.0)), atol=1e-3)  # the highest 1000


def test_configurations_survive_the_weights_file(tiny: UNetConfig) -> None:
    import json

    assert UNetConfig.from_dict(json.loads(json.dumps(tiny.to_dict()))) == tiny


def test_the_default_network_has_a_million_weights_and_a_stride_of_eight() -> None:
    net = UNet(UNetConfig())
    assert 0.8e6 < parameter_count(net) < 1.3e6
    strides = [m.stride[0] for m in net.modules() if isinstance(m, nn.Conv2d) and m.stride[0] > 1]
    product = 2  # pixel unshuffling
    for stride in strides:
        product *= stride
    assert product == STRIDE
