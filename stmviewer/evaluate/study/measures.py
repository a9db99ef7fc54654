"""The numbers that are taken of every restored image, with their names, units and definitions."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stmviewer.evaluate.agreement import coverage, lattice_agreement, spectrum_error, spectrum_ratio
from stmviewer.evaluate.perceptual import feature_distance
from stmviewer.evaluate.study.sources import Image
from stmviewer.restore import Restoration
from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import fit_plane
from stmviewer.scan.metrics import compare

Better = Literal["higher", "lower", "nominal", ""]
_PM = 1e12


@dataclass(frozen=True)
class Measure:
    """`better` is the direction of good (`nominal`: the value that `about` names); `digits` behind the point."""

    key: str
    title: str
    unit: str
    better: Better
    digits: int
    about: str


MEASURES = (
    Measure(
        "ssim", "SSIM", "", "higher", 3,
        "Structural similarity to the truth over the whole image: Wang et al. 2004, Gaussian window of sigma 1.5, "
        "data range the truth's 1 to 99 % range, plane of the truth removed. 1 is equal.",
    ),
    Measure(
        "ssim_hidden", "SSIM, unmeasured", "", "higher", 3,
        "The SSIM map averaged over the pixels that the method was not given.",
    ),
    Measure(
        "psnr_db", "PSNR", "dB", "higher", 1,
        "10 log10(range² / mean squared error).",
    ),
    Measure(
        "psnr_hidden_db", "PSNR, unmeasured", "dB", "higher", 1,
        "PSNR over the pixels that the method was not given.",
    ),
    Measure(
        "mae_pm", "MAE", "pm", "lower", 2,
        "Mean absolute error of the height, for scans in metres.",
    ),
    Measure(
        "mae_hidden_pm", "MAE, unmeasured", "pm", "lower", 2,
        "The same over the pixels that the method was not given.",
    ),
    Measure(
        "mae_percent", "MAE", "%", "lower", 2,
        "Mean absolute error in % of the truth's 1 to 99 % range.",
    ),
    Measure(
        "mae_hidden_percent", "MAE, unmeasured", "%", "lower", 2,
        "The same over the pixels that the method was not given.",
    ),
    Measure(
        "spectrum_error", "Spectrum error", "", "lower", 3,
        "Root mean square over half-octave rings of log10 of the radial power spectrum over the truth's. 0 is "
        "equal, 1 a factor of ten. Blur and noise both raise it.",
    ),
    Measure(
        "lattice", "Lattice agreement", "", "higher", 3,
        "1 − Σ|A − A₀| / Σ(A + A₀) over the lattice peaks of both spectra: 1 for the same periods equally strong.",
    ),
    Measure(
        "lattice_invented", "Peaks invented", "", "lower", 2,
        "Lattice peaks of the image that the truth does not have.",
    ),
    Measure(
        "feature_distance", "EfficientNet feature distance", "", "lower", 4,
        "A perceptual distance of the form of Zhang et al. 2018 with features of EfficientNet-Lite0 and no fitted "
        "weights. It is not LPIPS.",
    ),
    Measure(
        "residual_percent", "Residual", "%", "", 2,
        "How far the model's image is from the measurement at measured pixels before they are put back, root mean "
        "square, in % of the range of what was measured. For repairs: how much was changed.",
    ),
    Measure(
        "residual_pm", "Residual", "pm", "", 2,
        "The same, for scans in metres.",
    ),
    Measure(
        "within_1", "Within 1 deviation", "%", "nominal", 1,
        "How often the truth lies within one predicted deviation, over unmeasured pixels (repairs: all). 68.3 is "
        "honest; less is overconfident.",
    ),
    Measure(
        "within_2", "Within 2 deviations", "%", "nominal", 1,
        "The same for two deviations; 95.4 is honest.",
    ),
    Measure(
        "good_tip", "P(good tip)", "", "higher", 2,
        "Probability of a good tip by the judge of tips, which was trained on H:Si(100).",
    ),
    Measure(
        "nearness", "Nearness to good set", "", "higher", 3,
        "Mean kernel value of the image with the good images (EfficientNet-Lite0 features): 1 for one that looks "
        "like all of them.",
    ),
    Measure(
        "seconds", "Time per image", "s", "lower", 2,
        "Time of the restoration alone, model loaded.",
    ),
)  # fmt: skip
BY_KEY = {m.key: m for m in MEASURES}


def paired(image: FloatArray, truth: FloatArray, hidden: np.ndarray | None, in_metres: bool) -> dict[str, float]:
    """All that can be said beside the truth; `hidden` are the pixels that the method was not given (repairs: None)."""
    q = compare(image, truth, hidden)
    lattice = lattice_agreement(image, truth)
    found = {
        "ssim": q.ssim,
        "psnr_db": q.psnr_db,
        "mae_percent": 100 * q.mae / q.span,
        "spectrum_error": spectrum_error(spectrum_ratio(image, truth)),
        "lattice": lattice.agreement,
        "lattice_invented": float(lattice.invented),
        "feature_distance": feature_distance(image, truth),
    }
    if hidden is not None:
        found |= {"ssim_hidden": q.ssim_hidden, "psnr_hidden_db": q.psnr_hidden_db, "mae_hidden_percent": q.mae_percent}
    if in_metres:
        found["mae_pm"] = _PM * q.mae
        if hidden is not None:
            found["mae_hidden_pm"] = _PM * q.mae_hidden
    return found


def of_restoration(result: Restoration, image: Image, truth: FloatArray | None) -> dict[str, float]:
    """Residual, coverage and time of a restoration."""
    low, high = (float(v) for v in np.nanpercentile(result.raw - fit_plane(result.raw), (1, 99)))
    found = {"seconds": float(result.provenance["seconds"])}
    if high > low:
        found["residual_percent"] = 100 * result.residual_rms / (high - low)
    if image.in_metres:
        found["residual_pm"] = _PM * result.residual_rms
    if truth is not None and result.deviation is not None:
        hidden = np.ones(truth.shape, dtype=np.bool_) if result.request.task == "repair" else ~result.mask.measured
        shown, true = (
            (level(z) for z in (result.mean, truth)) if result.request.task == "repair" else (result.mean, truth)
        )
        one, two = coverage(shown, true, result.deviation, hidden)
        found |= {"within_1": 100 * one, "within_2": 100 * two}
    return found


def level(image: FloatArray) -> FloatArray:
    """Less its plane and its median: repairs know neither tilt nor zero."""
    flat = image - fit_plane(image)
    result: FloatArray = flat - np.median(flat)
    return result
