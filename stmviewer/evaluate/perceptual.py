"""How different two images look to a network: distance of their EfficientNet-Lite0 features.

The form is that of Zhang et al., CVPR 2018 (arXiv 1801.03924), eq. 1, with all channel weights 1 (their unlearned
baseline) and the seven stages of EfficientNet-Lite0 in place of their networks:

    d(x, y) = mean_l < |u_l(x) - u_l(y)|^2 >

u_l are the features of stage l at one place, brought to length 1, and <> the mean over places. 0 for equal images, at
most 2. It is a perceptual distance, but not LPIPS: that has other networks and weights fitted to what people see, and
its numbers must not be compared with these.
"""

import numpy as np

from stmviewer.evaluate import embedding
from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import fit_plane, robust_range

NAME = "EfficientNet feature distance"
_LEAST_SIDE = 32


def feature_distance(image: FloatArray, truth: FloatArray) -> float:
    """d of two images (rows, columns) without NaN, on the truth's plane and 1 to 99 % range; NaN under 32 pixels."""
    import torch

    if min(truth.shape) < _LEAST_SIDE:
        return float("nan")
    plane = fit_plane(truth)
    low, high = robust_range(truth - plane)
    grey = [np.clip((z - plane - low) / (high - low), 0, 1).astype(np.float32) for z in (image, truth)]
    network = embedding.network()
    with torch.inference_mode():
        stages = network.stages(torch.from_numpy(np.stack(grey))[:, None])
        total = 0.0
        for features in stages:
            unit = features / features.norm(dim=1, keepdim=True).clamp_min(1e-10)
            total += float(((unit[0] - unit[1]) ** 2).sum(dim=0).mean())
    return total / len(stages)
