"""`stmviewer clip`: what it says with and without weights."""

import pytest

from stmviewer.evaluate import clip_weights
from stmviewer.evaluate.clip_weights import ClipWeights


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(clip_weights.VARIABLE, raising=False)


def test_without_weights_it_says_what_to_do(run):
    text = run("clip").done().out
    assert "CMMD cannot be computed" in text
    assert "--download" in text
    facts = run("clip", "--json").done().json
    assert facts["path"] is None
    assert facts["revision"] == clip_weights.REVISION


def test_what_is_no_file_of_weights_is_refused(run, tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no")
    run("clip", "--use", bad).refused("bad.safetensors", "cannot be read")
    run("clip", "--use", tmp_path / "gone").refused("gone", "no such file")
    (tmp_path / "pytorch_model.bin").write_bytes(b"no")
    run("clip", "--use", tmp_path / "pytorch_model.bin").refused("no safetensors file", "open_clip_model.safetensors")
    assert run("clip", "--forget").done().out.startswith("There are no CLIP weights")


def test_weights_that_were_fetched_are_told(run, monkeypatch, tmp_path):
    weights = ClipWeights(tmp_path / "w.safetensors", "ab" * 32, True)
    monkeypatch.setattr(clip_weights, "download", lambda: weights)
    text = run("clip", "--download").done().out
    assert str(weights.path) in text
    assert "They are those of openai/clip-vit-large-patch14-336, from timm/" in text


def test_no_network_is_one_clear_line(run, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")

    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(hub, "hf_hub_download", offline)
    run("clip", "--download").refused("no route to host", "clip --use")
