"""CMMD, exactly as its paper and code define it.

Jayasumana et al., CVPR 2024 (arXiv 2401.09603), and its code google-research/cmmd: images are cropped to their central
square, scaled to 336 x 336 pixels (bicubic with antialiasing, Pillow on 8 bits; grey ones in three equal channels) and
embedded by the image encoder of CLIP ViT-L/14 at 336 pixels; the 768 numbers of each are brought to length 1, and

    CMMD = 1000 MMD^2,   Gaussian kernel of sigma 10, biased estimator: the means run over all pairs, x with itself too.

One step is ours, since heights are no photographs: an image is levelled by its plane and its 1 to 99 % range brought to
0 to 255 and cut off there.

The bias: for equal distributions the expected value is not 0 but 1000 (1/n + 1/m) (1 - mean k), so that sets of a few
images look further apart than they are. `spaces.distance` gives the unbiased estimate beside it.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stmviewer import paths
from stmviewer.evaluate import clip_weights
from stmviewer.evaluate.clip_weights import ClipWeights
from stmviewer.files import file_sha256
from stmviewer.restore.request import Device
from stmviewer.scan import FloatArray, RequestError
from stmviewer.scan.levelling import fit_plane, robust_range

if TYPE_CHECKING:
    from stmviewer.evaluate.clip_vision import ClipVision

NAME = "CMMD"
SIGMA, SCALE = 10.0, 1000.0
SIDE = 336


def eight_bits(image: FloatArray) -> NDArray[np.uint8]:
    """Heights (rows, columns) as the 336 x 336 grey values that are embedded. Raises RequestError for gaps."""
    from PIL import Image

    if not np.isfinite(image).all():
        raise RequestError("an image with pixels that were not measured cannot be embedded; restore it first")
    level = image - fit_plane(image)
    low, high = robust_range(level)
    grey = Image.fromarray(np.rint(255 * np.clip((level - low) / (high - low), 0, 1)).astype(np.uint8))
    side = min(grey.size)
    left, top = ((n - side) // 2 for n in grey.size)
    square = grey.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((SIDE, SIDE), resample=Image.Resampling.BICUBIC))


def pixels(grey: NDArray[np.uint8]) -> FloatArray:
    """Grey values (rows, columns) as the encoder takes them: (3, rows, columns), centred and scaled."""
    from stmviewer.evaluate.clip_vision import MEAN, STD

    mean, std = (np.array(c)[:, None, None] for c in (MEAN, STD))
    result: FloatArray = (grey.astype(np.float64)[None] / 255 - mean) / std
    return result


@dataclass
class Embedder:
    """Embeds images with the weights of a file, loaded when they are first needed. Embeddings are kept on disk.

    They are kept by the hash of the weights and of the 336 x 336 grey values: the hash of a file would know neither
    which of its channels was taken nor what was restored, and equal files have equal grey values.
    """

    path: Path
    device: Device = "auto"
    cache: Path = field(default_factory=lambda: paths.cache() / "clip")
    _network: "ClipVision | None" = None
    _weights: ClipWeights | None = None

    @property
    def sha256(self) -> str:
        if self._weights is None:
            self._weights = ClipWeights(self.path, file_sha256(self.path), False)
        return self._weights.sha256

    @property
    def weights(self) -> ClipWeights:
        """The weights, loaded: whether they are the published ones is known then."""
        self._load()
        assert self._weights is not None
        return self._weights

    def embed(self, image: FloatArray) -> FloatArray:
        """The embedding of heights (rows, columns) without NaN, of length 1: (768,)."""
        grey = eight_bits(image)
        kept = self.cache / self.sha256[:16] / f"{hashlib.sha256(grey.tobytes()).hexdigest()[:32]}.npy"
        try:
            found: FloatArray = np.load(kept).astype(np.float64)
            if found.ndim == 1 and np.isfinite(found).all():
                return found
        except (OSError, ValueError, EOFError):
            pass  # not there, or damaged: made again
        found = self._computed(grey)
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            partial = kept.with_suffix(".part")
            with partial.open("wb") as file:
                np.save(file, found.astype(np.float32))
            partial.replace(kept)
        except OSError:
            pass  # a full disk costs time, no result
        return found

    def _computed(self, grey: NDArray[np.uint8]) -> FloatArray:
        import torch

        network = self._load()
        batch = torch.from_numpy(pixels(grey)).float()[None]
        with torch.inference_mode():
            vector = network(batch.to(next(network.parameters()).device))[0].double().cpu().numpy()
        # as float32, so that what was kept and what is new are the same
        result: FloatArray = (vector / np.linalg.norm(vector)).astype(np.float32).astype(np.float64)
        return result

    def _load(self) -> "ClipVision":
        if self._network is None:
            from stmviewer.restore.devices import choose_device

            network, self._weights = clip_weights.load(self.path)
            self._network = network.to(choose_device(self.device))
        return self._network
