"""The distance between sets of images on the features of EfficientNet-Lite0."""

import numpy as np
import pytest
import torch

from stmviewer import paths
from stmviewer.evaluate import efficientnet, embedding
from stmviewer.scan import FileError, Progress, RequestError

WEIGHTS = paths.shipped_models() / "efficientnet-lite0.safetensors"
pytestmark = pytest.mark.skipif(not WEIGHTS.is_file(), reason="models/ has no weights")


def lattice(seed: int, period: float, noise: float = 0.2, side: int = 96) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    turn = rng.uniform(0, 0.4)
    image = np.sin(2 * np.pi * (np.cos(turn) * x + np.sin(turn) * y) / period)
    return 1e-11 * (image + noise * rng.standard_normal((side, side)))


def embed(images, names=None):
    return embedding.embed(images, names or [str(k) for k in range(len(images))], Progress())


def test_equal_sets_are_near_and_a_planted_change_is_far():
    good = embed([lattice(k, 12) for k in range(10)])
    same = embed([lattice(k, 12) for k in range(10, 20)], [str(k) for k in range(10, 20)])
    noisy = embed([lattice(k, 12, noise=1.5) for k in range(10, 20)], [str(k) for k in range(10, 20)])
    near, far = embedding.distance(good, same), embedding.distance(good, noisy)
    assert abs(near.value) < 0.2 * far.value
    assert far.interval[0] > near.value
    assert far.interval[0] <= far.value <= far.interval[1]
    assert len(far.resampled) == 500


def test_neither_the_unit_nor_a_tilt_matters():
    image = lattice(0, 12)
    y, x = np.mgrid[:96, :96]
    one, other = embed([image, 1e9 * image + 3 * x - y]).features
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert np.linalg.norm(one) == pytest.approx(1)


def test_one_group_alone_has_no_interval():
    one = embed([lattice(k, 12) for k in range(3)], ["a"] * 3)
    found = embedding.distance(one, embed([lattice(k, 7) for k in range(3)], ["a"] * 3))
    assert found.value > 0
    assert np.isnan(found.interval).all()


def test_what_cannot_be_embedded_is_refused():
    with pytest.raises(RequestError, match="too small"):
        embed([np.zeros((31, 80))])
    gap = lattice(0, 12)
    gap[3, 4] = np.nan
    with pytest.raises(RequestError, match="not measured"):
        embed([gap])


def test_padding_is_that_of_tensorflow():
    """SAME with stride 2 on an even side: one zero after, none before; of a kernel of 5 one before and two after."""
    x = torch.ones(1, 1, 8, 8)
    assert efficientnet._same(x, 3, 2).shape[-2:] == (9, 9)
    padded = efficientnet._same(x, 5, 2)[0, 0, 4]
    assert padded.tolist() == [0] + [1] * 8 + [0] * 2
    assert efficientnet._same(x, 3, 1)[0, 0, 4].tolist() == [0] + [1] * 8 + [0]


def test_folding_the_norms_is_exact():
    """One block of the original's arithmetic: convolution, batch norm of what was learned, and so on."""
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def add(name: str, norm: str, out: int, inputs: int, kernel: int) -> None:
        state[f"{name}.weight"] = torch.randn(out, inputs, kernel, kernel)
        state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.rand(out) + 0.5, torch.randn(out)
        state[f"{norm}.running_mean"], state[f"{norm}.running_var"] = torch.randn(out), torch.rand(out) + 0.1

    add("_conv_stem", "_bn0", 32, 3, 3)
    add("_conv_head", "_bn1", 1280, 320, 1)
    add("_blocks.0._depthwise_conv", "_blocks.0._bn1", 32, 1, 3)
    folded = efficientnet.converted(state)
    x = torch.randn(1, 3, 9, 9)
    plain = torch.nn.functional.conv2d(x, state["_conv_stem.weight"])
    norm = torch.nn.functional.batch_norm(
        plain, state["_bn0.running_mean"], state["_bn0.running_var"], state["_bn0.weight"], state["_bn0.bias"], eps=1e-3
    )
    ours = torch.nn.functional.conv2d(x, folded["stem.convolve.weight"], folded["stem.convolve.bias"])
    torch.testing.assert_close(ours, norm, rtol=1e-4, atol=1e-4)
    assert set(folded) == {
        f"{n}.convolve.{p}" for n in ("stem", "head", "blocks.0.depthwise") for p in ("weight", "bias")
    }


def test_missing_damaged_and_foreign_weights_are_errors(tmp_path):
    with pytest.raises(FileError, match="missing"):
        efficientnet.load(tmp_path / "gone.safetensors")
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(WEIGHTS.read_bytes()[:5000])
    with pytest.raises(FileError, match="damaged"):
        efficientnet.load(damaged)
    foreign = sorted(p for p in paths.shipped_models().glob("*.safetensors") if p != WEIGHTS)
    if foreign:
        with pytest.raises(FileError, match="not the weights"):
            efficientnet.load(foreign[0])


def test_the_embedding_is_never_called_cmmd():
    assert "CMMD" not in embedding.NAME
