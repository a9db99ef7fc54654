"""Where the weights of the CLIP image encoder are: a file or folder of the user's, or what `clip --download` fetched.

They do not ship (1.2 GB). Nothing but `download` uses a network, and nothing but the command `stmviewer clip
--download` calls it. The revision and the hash of what it fetches are fixed here. Only safetensors files are read: the
checkpoints that PyTorch writes (.bin, .pt) are pickles, and no pickle is ever opened, not even with its hash known.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stmviewer import paths
from stmviewer.files import file_sha256
from stmviewer.files.writing import replacing
from stmviewer.scan import FileError, RequestError

if TYPE_CHECKING:
    from torch import Tensor

    from stmviewer.evaluate.clip_vision import ClipVision

#: where the weights come from, as its authors name it; at its only revision since 2022 they lie there as pickles alone
NETWORK = "openai/clip-vit-large-patch14-336"
#: the same weights as safetensors, by the names of OpenCLIP, and their one revision with that file
REPOSITORY = "timm/vit_large_patch14_clip_336.openai"
REVISION = "81e38efc4637de5023b10e75a7f9bd1c6fa6b010"
#: the file of that revision with the weights, and its SHA-256 (1,711,828,444 bytes, text encoder included)
REMOTE_FILE = "open_clip_model.safetensors"
REMOTE_SHA256 = "fbc415c3d0d7b79faed8f5ccfb740c32b7c4f5ffe7283b851f89c6231c01a8e0"
VARIABLE = "STMVIEWER_CLIP"
ADVICE = (
    f"Give {REMOTE_FILE} of {REPOSITORY} on Hugging Face, or a safetensors file that transformers wrote of {NETWORK} "
    "(the file or its folder), or run stmviewer clip --download"
)
#: what PyTorch writes, and why it stays closed
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_PICKLED = "is no safetensors file; files of PyTorch (.bin, .pt) can run what they bring along when opened, so none is"
_KEPT, _POINTER = "clip-vit-l14-336.safetensors", "use.json"
#: in a folder, the first of these that is there
_NAMES = (_KEPT, "model.safetensors", REMOTE_FILE)


@dataclass(frozen=True)
class ClipWeights:
    """A file of weights, its SHA-256, and whether they are known to be those of `NETWORK`, as `REPOSITORY` has them."""

    path: Path
    sha256: str
    confirmed: bool


def folder() -> Path:
    """Where downloaded weights lie, and which others are to be used; it may not exist yet."""
    return paths.user_models().parent / "clip"


def find(given: Path | None = None) -> Path | None:
    """The weights: `given`, those that STMVIEWER_CLIP names, those of `clip --use`, the downloaded ones; None where
    there are none. Raises FileError for a file or folder that is named and is not there."""
    named = given or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is not None:
        return _in(named)
    pointer = folder() / _POINTER
    if pointer.is_file():
        try:
            return _in(Path(json.loads(pointer.read_text(encoding="utf-8"))["path"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileError(pointer, f"cannot be read ({error})", "Run stmviewer clip --use again") from error
    kept = folder() / _KEPT
    return kept if kept.is_file() else None


def _in(path: Path) -> Path:
    if path.is_file():
        return path
    for name in _NAMES:
        if (path / name).is_file():
            return path / name
    pickled = sorted(p for p in path.iterdir() if p.suffix in _PICKLES) if path.is_dir() else []
    if pickled:
        raise FileError(pickled[0], _PICKLED, ADVICE)
    cause = f"holds none of {', '.join(_NAMES[1:])}" if path.is_dir() else "there is no such file or folder"
    raise FileError(path, cause, ADVICE)


def load(path: Path) -> "tuple[ClipVision, ClipWeights]":
    """The encoder with the weights of a file. Raises FileError when they are damaged or those of another network."""
    from stmviewer.evaluate.clip_vision import build

    state, source = _read(path)
    try:
        network = build(state)
    except RuntimeError as error:
        cause = " ".join(str(error).split())[:200]
        raise FileError(path, f"holds no image encoder of CLIP ViT-L/14 at 336 pixels ({cause})", ADVICE) from error
    sha256 = file_sha256(path)
    return network, ClipWeights(path, sha256, REMOTE_SHA256 in (sha256, source))


def _read(path: Path) -> "tuple[dict[str, Tensor], str]":
    """The image encoder's tensors by the names of `ClipVision`, and the hash of the file that they are from where it
    tells."""
    from safetensors import SafetensorError, safe_open

    from stmviewer.evaluate.clip_vision import image_part, is_of_the_image

    if path.suffix != ".safetensors":
        raise FileError(path, _PICKLED, ADVICE)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            names = [name for name in file.keys() if is_of_the_image(name)]  # noqa: SIM118 (not a dict)
            state = {n: file.get_tensor(n) for n in names}
            return image_part(state), (file.metadata() or {}).get("source_sha256", "")
    except (SafetensorError, OSError, RuntimeError, ValueError, TypeError, EOFError) as error:
        cause = (str(error) or type(error).__name__).splitlines()[0]
        raise FileError(path, f"the weights cannot be read ({cause})", ADVICE) from error


def use(path: Path) -> ClipWeights:
    """Checks the weights at `path` (a file or folder) and uses them from now on, where they are."""
    found = _in(path).resolve()
    _, weights = load(found)
    with replacing(folder() / _POINTER) as file:
        file.write(json.dumps({"path": str(found)}).encode())
    return weights


def forget() -> bool:
    """Uses what `use` named no more; False when there was nothing. The file itself stays."""
    pointer = folder() / _POINTER
    there = pointer.is_file()
    pointer.unlink(missing_ok=True)
    return there


def download() -> ClipWeights:
    """Fetches the weights from the Hugging Face hub, checks their hash, and keeps the image encoder.

    Raises RequestError when that is not possible: no network, no such file, another hash.
    """
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise RequestError("huggingface_hub is not installed, so nothing can be fetched. " + ADVICE) from error
    passing = folder() / "fetched"
    try:
        fetched = Path(hf_hub_download(REPOSITORY, REMOTE_FILE, revision=REVISION, local_dir=passing))
    except Exception as error:  # the hub and what it is built on have many, which change
        cause = (str(error) or type(error).__name__).splitlines()[0]
        advice = "Is there a network? On a machine with one, fetch it there and name the file with stmviewer clip --use"
        raise RequestError(f"{REPOSITORY} cannot be fetched: {cause}. {advice}") from error
    return keep(fetched)


def keep(fetched: Path, expected: str = REMOTE_SHA256) -> ClipWeights:
    """Writes the image encoder of a fetched checkpoint into `folder()`; the checkpoint is removed.

    Raises FileError when its hash is not `expected`.
    """
    from safetensors.torch import save

    from stmviewer.evaluate.clip_vision import build

    if (found := file_sha256(fetched)) != expected:
        fetched.unlink(missing_ok=True)
        raise FileError(fetched, f"the hash is {found[:16]}…, not {expected[:16]}…: removed", "Fetch it again")
    state, _ = _read(fetched)
    build(state)
    part = {k: v.float().contiguous() for k, v in state.items()}
    target = folder() / _KEPT
    with replacing(target) as file:
        file.write(save(part, {"format": "pt", "source_sha256": expected, "revision": REVISION}))
    del state, part
    fetched.unlink(missing_ok=True)
    forget()
    return ClipWeights(target, file_sha256(target), expected == REMOTE_SHA256)
