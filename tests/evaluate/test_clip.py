"""The image encoder of CLIP against that of transformers, its weights, and CMMD against its definition by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from stmviewer.evaluate import clip_weights, cmmd
from stmviewer.evaluate.clip_vision import MEAN, STD, ClipConfig, ClipVision, build
from stmviewer.evaluate.cmmd import Embedder, eight_bits, pixels
from stmviewer.evaluate.spaces import clip_space, distance
from stmviewer.scan import FileError, RequestError

SMALL = ClipConfig(width=32, hidden=64, layers=3, heads=4, image=28, patch=14, embedding=16)
#: the real image size, so that real embeddings run, on a network that is nothing
TINY = ClipConfig(width=16, hidden=16, layers=1, heads=2, image=336, patch=112, embedding=8)


def image(seed: int = 0, rows: int = 40, columns: int = 56) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    noise = np.random.default_rng(seed).standard_normal((rows, columns))
    return 1e-10 * np.sin(x / 2 + seed) * np.cos(y / 3) + 1e-12 * x + 2e-12 * noise


@pytest.fixture
def tiny_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint as on the hub (text encoder and position numbers included) of a network that fits `build`."""
    torch.manual_seed(0)
    network = ClipVision(TINY)
    torch.nn.init.normal_(network.vision_model.embeddings.class_embedding)
    state = {k: v.contiguous() for k, v in network.state_dict().items()}
    state["vision_model.embeddings.position_ids"] = torch.arange(10)
    state["text_model.final_layer_norm.weight"] = torch.ones(3)
    path = tmp_path / "checkpoint" / "model.safetensors"
    path.parent.mkdir()
    save_file(state, path)
    monkeypatch.setattr("stmviewer.evaluate.clip_vision.build", lambda s: build(s, TINY))
    return path


def test_the_encoder_is_that_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(1)
    config = transformers.CLIPVisionConfig(
        hidden_size=SMALL.width, intermediate_size=SMALL.hidden, num_hidden_layers=SMALL.layers,
        num_attention_heads=SMALL.heads, image_size=SMALL.image, patch_size=SMALL.patch,
        projection_dim=SMALL.embedding, hidden_act="quick_gelu",
    )  # fmt: skip
    oracle = transformers.CLIPVisionModelWithProjection(config).eval()
    for parameter in oracle.parameters():  # norms and biases start at 1 and 0, which would hide a mix-up
        torch.nn.init.normal_(parameter, std=0.3)
    images = torch.randn(2, 3, SMALL.image, SMALL.image)
    with torch.no_grad():
        expected = oracle(pixel_values=images).image_embeds
        found = build(oracle.state_dict(), SMALL)(images)
    assert found.shape == (2, SMALL.embedding)
    assert float(expected.std()) > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_default_sizes_are_those_of_vit_l_14_at_336() -> None:
    with torch.device("meta"):
        network = ClipVision()
    assert sum(p.numel() for p in network.parameters()) == 304_293_888
    assert network.vision_model.embeddings.position_embedding.weight.shape == (577, 1024)
    assert network.visual_projection.weight.shape == (768, 1024)


def test_preprocessing_is_that_of_transformers() -> None:
    """Centring and scaling by the same numbers; the resizing is Pillow's in both."""
    transformers = pytest.importorskip("transformers")
    grey = eight_bits(image())
    processor = transformers.CLIPImageProcessor(do_resize=False, do_center_crop=False, do_rescale=True)
    expected = processor(np.repeat(grey[:, :, None], 3, axis=2), return_tensors="np")["pixel_values"][0]
    np.testing.assert_allclose(pixels(grey), expected, atol=1e-5)
    assert processor.image_mean == pytest.approx(MEAN)
    assert processor.image_std == pytest.approx(STD)


def test_grey_values_are_the_middle_square_levelled_and_scaled_up() -> None:
    from PIL import Image

    tilted = image() + 1e-9 * np.arange(40)[:, None] + 3e-9
    grey = eight_bits(tilted)
    assert grey.shape == (336, 336)
    assert grey.dtype == np.uint8
    np.testing.assert_allclose(grey.astype(int), eight_bits(image()).astype(int), atol=2)
    assert (grey == 0).any()
    assert (grey == 255).any()
    middle = np.asarray(Image.fromarray(grey).resize((40, 40), Image.Resampling.BICUBIC)).astype(float)
    assert np.corrcoef(middle.ravel(), image()[:, 8:48].ravel())[0, 1] > 0.97
    with pytest.raises(RequestError, match="not measured"):
        eight_bits(np.full((40, 40), np.nan))


def test_cmmd_is_the_equation_by_hand() -> None:
    """Three unit vectors against two, each kernel value written out."""
    x = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    y = np.array([[1.0, 0, 0], [0, -1, 0]])
    far, opposite = np.exp(-2 / 200), np.exp(-4 / 200)  # squared distances 2 and 4, 2 sigma^2 = 200
    xx = (3 + 6 * far) / 9
    yy = (2 + 2 * far) / 4
    xy = (1 + far + far + opposite + far + far) / 6
    space = clip_space(Embedder(Path("none")))
    found = distance(space, x, y, (("a", "b", "c"), ("d", "e")))
    assert found.value == pytest.approx(1000 * (xx + yy - 2 * xy), rel=1e-9)
    assert found.unbiased == pytest.approx(1000 * (far + far - 2 * xy), rel=1e-9)
    assert found.value > found.unbiased
    assert found.interval[0] <= found.interval[1]


def test_cmmd_of_equal_sets_is_zero_and_its_bias_is_as_told() -> None:
    rng = np.random.default_rng(0)
    x, y = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in rng.standard_normal((2, 20, 12)))
    space = clip_space(Embedder(Path("none")))
    names = tuple(str(k) for k in range(20))
    assert distance(space, x, x, (names, names)).value == pytest.approx(0, abs=1e-9)
    found = distance(space, x, y, (names, names))
    kernel = np.exp(-((x[:, None] - x[None]) ** 2).sum(axis=2) / 200)
    usual = (kernel.sum() - 20) / 380
    assert found.value - found.unbiased == pytest.approx(1000 * (1 / 20 + 1 / 20) * (1 - usual), rel=0.1)


def test_restored_images_beside_themselves_have_no_negative_distance() -> None:
    """The pair of an image with itself stays out, within the sets and between them."""
    x = np.random.default_rng(0).standard_normal((12, 5))
    names = tuple(str(k) for k in range(12))
    space = clip_space(Embedder(Path("none")))
    assert distance(space, x, x, (names, names)).unbiased < -1e-3
    assert distance(space, x, x, (names, names), np.eye(12, dtype=bool)).unbiased == pytest.approx(0, abs=1e-9)


def test_embeddings_have_length_one_and_are_kept(tiny_weights: Path, tmp_path: Path) -> None:
    first = Embedder(tiny_weights, "cpu", tmp_path / "cache")
    vector = first.embed(image(1))
    assert vector.shape == (TINY.embedding,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert not np.allclose(vector, first.embed(image(2)))
    again = Embedder(tiny_weights, "cpu", tmp_path / "cache")
    np.testing.assert_array_equal(again.embed(image(1)), vector)
    assert again._network is None  # nothing was loaded for it
    for kept in (tmp_path / "cache").rglob("*.npy"):
        kept.write_bytes(b"damaged")
    np.testing.assert_allclose(again.embed(image(1)), vector, atol=1e-6)


def test_other_weights_have_embeddings_of_their_own(tiny_weights: Path, tmp_path: Path) -> None:
    vector = Embedder(tiny_weights, "cpu", tmp_path / "cache").embed(image())
    torch.manual_seed(5)
    other = tmp_path / "other.safetensors"
    save_file({k: v.contiguous() for k, v in ClipVision(TINY).state_dict().items()}, other)
    assert not np.allclose(Embedder(other, "cpu", tmp_path / "cache").embed(image()), vector)


def test_where_weights_are_looked_for(tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(clip_weights.VARIABLE, raising=False)
    assert clip_weights.find() is None
    assert clip_weights.find(tiny_weights.parent) == tiny_weights
    monkeypatch.setenv(clip_weights.VARIABLE, str(tiny_weights))
    assert clip_weights.find() == tiny_weights
    monkeypatch.delenv(clip_weights.VARIABLE)
    weights = clip_weights.use(tiny_weights.parent)
    assert clip_weights.find() == tiny_weights == weights.path
    assert not weights.confirmed
    assert clip_weights.forget()
    assert clip_weights.find() is None
    assert not clip_weights.forget()


@pytest.mark.parametrize("content", [b"", b"no weights", json.dumps({"a": 1}).encode()])
def test_what_holds_no_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"model\.safetensors: the weights cannot be read"):
        clip_weights.load(path)
    with pytest.raises(FileError):
        clip_weights.use(path)
    path.unlink()
    with pytest.raises(FileError, match="no such file"):
        clip_weights.find(tmp_path / "gone")
    with pytest.raises(FileError, match="holds none of"):
        clip_weights.find(tmp_path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_file({k: v.contiguous() for k, v in ClipVision(SMALL).state_dict().items()}, path)
    with pytest.raises(FileError, match="ViT-L/14 at 336"):
        clip_weights.load(path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "ViT-L-14-336px.pt", "weights"])
def test_a_pickle_is_not_opened_and_what_to_get_is_told(tmp_path: Path, name: str) -> None:
    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (ran,)

    path = tmp_path / "folder" / name
    path.parent.mkdir()
    torch.save({"vision_model.a": Bomb()}, path)
    for attempt in (clip_weights.load, clip_weights.use):
        with pytest.raises(FileError, match=r"is no safetensors file.*open_clip_model\.safetensors of timm/"):
            attempt(path)
    if path.suffix:  # a folder as it lies on the hub
        with pytest.raises(FileError, match=f"{name}: is no safetensors file"):
            clip_weights.find(path.parent)
    assert not ran.exists()
    torch.load(path, weights_only=False)
    assert ran.exists()  # so it would have


def open_clip_state(config: ClipConfig) -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    """The image encoder as OpenCLIP builds it (layers of torch's own, queries, keys and values in one matrix), with
    random weights, and its part of a checkpoint."""

    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ln_1, self.ln_2 = torch.nn.LayerNorm(config.width), torch.nn.LayerNorm(config.width)
            self.attn = torch.nn.MultiheadAttention(config.width, config.heads, batch_first=True)
            self.mlp = torch.nn.Sequential()
            self.mlp.add_module("c_fc", torch.nn.Linear(config.width, config.hidden))
            self.mlp.add_module("c_proj", torch.nn.Linear(config.hidden, config.width))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen = self.ln_1(x)
            x = x + self.attn(seen, seen, seen, need_weights=False)[0]
            h = self.mlp.c_fc(self.ln_2(x))
            out: torch.Tensor = x + self.mlp.c_proj(h * torch.sigmoid(1.702 * h))
            return out

    class Visual(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = torch.nn.Conv2d(3, config.width, config.patch, config.patch, bias=False)
            self.class_embedding = torch.nn.Parameter(torch.empty(config.width))
            self.positional_embedding = torch.nn.Parameter(
                torch.empty((config.image // config.patch) ** 2 + 1, config.width)
            )
            self.ln_pre, self.ln_post = torch.nn.LayerNorm(config.width), torch.nn.LayerNorm(config.width)
            self.transformer = torch.nn.Module()
            self.transformer.resblocks = torch.nn.ModuleList(Block() for _ in range(config.layers))
            self.proj = torch.nn.Parameter(torch.empty(config.width, config.embedding))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            x = self.conv1(images).flatten(2).transpose(1, 2)
            first = self.class_embedding.expand(len(x), 1, -1)
            x = self.ln_pre(torch.cat([first, x], dim=1) + self.positional_embedding)
            for block in self.transformer.resblocks:
                x = block(x)
            out: torch.Tensor = self.ln_post(x[:, 0]) @ self.proj
            return out

    network = Visual().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network, {f"visual.{k}": v.detach() for k, v in network.state_dict().items()}


def test_weights_by_the_names_of_open_clip_give_its_embeddings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(3)
    oracle, state = open_clip_state(SMALL)
    text = {"logit_scale": torch.ones(()), "transformer.resblocks.0.ln_1.weight": torch.ones(5)}
    path = tmp_path / "hub" / "open_clip_model.safetensors"
    path.parent.mkdir()
    save_file(state | text, path)
    monkeypatch.setattr("stmviewer.evaluate.clip_vision.build", lambda s: build(s, SMALL))
    monkeypatch.setattr(clip_weights, "REMOTE_SHA256", clip_weights.file_sha256(path))
    images = torch.randn(2, 3, SMALL.image, SMALL.image)
    with torch.no_grad():
        expected = oracle(images)
    found = clip_weights.find(path.parent)
    assert found == path
    network, weights = clip_weights.load(found)
    assert weights.confirmed
    assert float(expected.std()) > 0.1
    torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-5)
    kept = clip_weights.keep(path, weights.sha256)  # what a download does
    assert kept.confirmed
    again, weights = clip_weights.load(kept.path)
    assert weights.confirmed
    torch.testing.assert_close(again(images), expected, rtol=1e-4, atol=1e-5)


def test_open_clip_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    _, state = open_clip_state(SMALL)
    path = tmp_path / "open_clip_model.safetensors"
    save_file(state, path)
    with pytest.raises(FileError, match="ViT-L/14 at 336"):
        clip_weights.load(path)
    del state["visual.transformer.resblocks.1.attn.in_proj_bias"]
    save_file({**state, "visual.transformer.resblocks.1.attn.in_proj_bias": torch.ones(2)}, path)
    with pytest.raises(FileError, match="cannot be read"):
        clip_weights.load(path)


def test_what_was_fetched_is_checked_and_its_image_encoder_kept(tiny_weights: Path, tmp_path: Path) -> None:
    from stmviewer.files import file_sha256

    fetched = tmp_path / "fetched.safetensors"
    fetched.write_bytes(tiny_weights.read_bytes())
    weights = clip_weights.keep(fetched, file_sha256(fetched))
    assert not fetched.exists()
    assert clip_weights.find() == weights.path
    network, _ = clip_weights.load(weights.path)
    assert network.config == TINY
    from safetensors import safe_open

    with safe_open(weights.path, framework="pt") as file:
        assert all(n.startswith(("vision_model.", "visual_projection.")) for n in file.keys())  # noqa: SIM118
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(tiny_weights.read_bytes() + b"x")
    with pytest.raises(FileError, match="hash"):
        clip_weights.keep(bad)
    assert not bad.exists()


def test_without_a_network_fetching_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")

    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("Name or service not known\nand a long story")

    monkeypatch.setattr(hub, "hf_hub_download", offline)
    with pytest.raises(RequestError, match=r"cannot be fetched: Name or service not known. Is there a network\?"):
        clip_weights.download()


def test_fetching_asks_for_the_pinned_revision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked = {}

    def fetch(repository: str, name: str, **options: object) -> str:
        asked.update(options, repository=repository, name=name)
        (tmp_path / name).write_bytes(b"something else")
        return str(tmp_path / name)

    monkeypatch.setattr(hub, "hf_hub_download", fetch)
    with pytest.raises(FileError, match="hash"):
        clip_weights.download()
    assert asked["repository"] == "timm/vit_large_patch14_clip_336.openai"
    assert asked["name"].endswith(".safetensors")
    assert asked["revision"] == clip_weights.REVISION
    assert len(clip_weights.REVISION) == 40
    assert clip_weights.find() is None


def test_sides_and_constants_are_those_of_the_paper() -> None:
    assert (cmmd.SIGMA, cmmd.SCALE, cmmd.SIDE) == (10.0, 1000.0, 336)


@pytest.mark.slow
def test_at_the_size_of_vit_l_14_a_file_of_weights_gives_the_embeddings_of_transformers(tmp_path: Path) -> None:
    """Everything but the published numbers themselves, which no network was there to fetch: 304 million random ones."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(2)
    config = transformers.CLIPVisionConfig(
        hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, image_size=336,
        patch_size=14, projection_dim=768, hidden_act="quick_gelu",
    )  # fmt: skip
    oracle = transformers.CLIPVisionModelWithProjection(config).eval()
    path = tmp_path / "model.safetensors"
    save_file({k: v.contiguous() for k, v in oracle.state_dict().items()}, path)
    embedder = Embedder(path, "cpu", tmp_path / "cache")
    vectors = np.array([embedder.embed(image(seed)) for seed in range(2)])
    with torch.no_grad():
        given = torch.from_numpy(np.stack([pixels(eight_bits(image(seed))) for seed in range(2)]))
        expected = oracle(pixel_values=given.float()).image_embeds.numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected, atol=2e-5)
    assert np.abs(vectors[0] - vectors[1]).max() > 3e-4  # random weights see little of an image, but more than that
    apart = np.square(vectors[0] - vectors[1]).sum()
    found = distance(clip_space(embedder), vectors[:1], vectors[1:], (("a",), ("b",)))
    assert found.value == pytest.approx(2000 * (1 - np.exp(-apart / 200)), rel=1e-3)
