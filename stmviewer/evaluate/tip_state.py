"""Is the tip good, double or asymmetric, did it change, or is the image blurry? And from which line on did it change.

A linear judge over the numbers of `tip_features`, trained on images that people have labelled, its probabilities
calibrated by a temperature (Guo et al., ICML 2017). It judges scans and restorations; nothing is trained on what it
says. Importing this module does not import torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from stmviewer.evaluate import judges
from stmviewer.restore.tips import find_tip
from stmviewer.scan import BoolArray, Channel, FileError, FloatArray, Progress, RequestError
from stmviewer.scan.corrugation import find_rows
from stmviewer.scan.dimer_rows import silicon_rows

if TYPE_CHECKING:
    from stmviewer.evaluate.efficientnet import EfficientNetLite0

TipKind = Literal["good", "double", "change", "blurry"]
KINDS: tuple[TipKind, ...] = get_args(TipKind)
NAME = "tipstate-si100h"
_FORMAT = "stmviewer-tip-1"
_EMBEDDING = "efficientnet-lite0"
#: judges that look at so many numbers were trained without those of `tip_lattice`
WITHOUT_LATTICE = 590
#: fewer lines or pixels a line than this cannot be judged
LEAST_SIDE = 64
#: a state with less than this probability is not called the state
_SURE = 0.5
#: strength from which rows are seen in images of no known scale
_SEEN = 3.0
_WORDS: dict[TipKind, str] = {
    "good": "good",
    "double": "double or asymmetric",
    "change": "changed",
    "blurry": "blurry or noisy",
}
UNKNOWN = "on another surface it cannot be judged"
RECONDITION, RESTORE, GO_ON, LOOK = (
    "recondition the tip",
    "restore and go on",
    "go on",
    "not sure: look for yourself",
)


@dataclass(frozen=True)
class SecondEnd:
    """Where all is shown a second time: `x` to the right, `y` down, in m, or in pixels where the scan has no scale."""

    x: float
    y: float
    calibrated: bool

    @property
    def text(self) -> str:
        """`+0.88, -0.66 nm (right, down)`, as the check of a repair writes it."""
        factor, unit = (1e9, "nm") if self.calibrated else (1.0, "px")
        across, down = (f"{float(f'{factor * value:.2g}'):+g}" for value in (self.x, self.y))
        return f"{across}, {down} {unit} (right, down)"


@dataclass(frozen=True)
class TipState:
    """What the judge says of one image: calibrated `probabilities` of the four kinds, which add up to 1.

    `changed_at` is the image row (0 at the top) from which on another tip scans, None unless a change is likely;
    `good_after` whether what was scanned since looks good, None where that is too little to tell. `recognised`: whether
    the dimer rows of Si(001) are seen, the surface that the judge has learned from; on others what it says is a hint.
    `second` is a further end of the tip that the features of the scan give away by repeating; looked for where the
    judge, who sees textures and no offsets, calls the tip good.
    """

    probabilities: Mapping[TipKind, float]
    changed_at: int | None = None
    good_after: bool | None = None
    model: str = NAME
    recognised: bool = True
    second: SecondEnd | None = None

    @property
    def kind(self) -> TipKind:
        """The likeliest kind by the look of the image; `second` is evidence of its own."""
        return max(KINDS, key=lambda kind: self.probabilities[kind])

    @property
    def sure(self) -> bool:
        return self.probabilities[self.kind] >= _SURE

    @property
    def advice(self) -> str:
        """What to do next; of a surface that it did not learn from it advises nothing."""
        if not self.recognised:
            return UNKNOWN
        if self.second is not None:
            return RECONDITION
        if not self.sure:
            return LOOK
        if self.kind == "good":
            return GO_ON
        if self.kind == "change" and self.good_after:
            return RESTORE
        return RECONDITION

    @property
    def text(self) -> str:
        """One line: `Tip: changed at line 120 (81 %): restore and go on`."""
        where = f" at line {self.changed_at + 1}" if self.kind == "change" and self.changed_at is not None else ""
        tip = "Tip" if self.recognised else "Tip, if this is H:Si(100)"
        looks = f"{_WORDS[self.kind]}{where} ({100 * self.probabilities[self.kind]:.0f} %)"
        if self.second is not None:
            looks = f"a second end, features repeat at {self.second.text}; else it looks {looks}"
        return f"{tip}: {looks}{': ' if self.recognised else '; '}{self.advice}"


@dataclass(frozen=True)
class Head:
    """The linear judge: softmax((x - mean) / scale @ weights + bias) with the logits divided by `temperature`."""

    mean: FloatArray
    scale: FloatArray
    weights: FloatArray
    bias: FloatArray
    temperature: float

    @property
    def sees_lattice(self) -> bool:
        return len(self.mean) > WITHOUT_LATTICE

    def logits(self, values: FloatArray) -> FloatArray:
        """(..., features) to (..., 4), before the temperature. What lies far outside of training is cut off."""
        z = np.clip((values - self.mean) / self.scale, -6, 6)
        result: FloatArray = z @ self.weights + self.bias
        return result

    def probabilities(self, values: FloatArray) -> FloatArray:
        return softmax(self.logits(values) / self.temperature)


def softmax(logits: FloatArray) -> FloatArray:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: FloatArray = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def judge_channel(channel: Channel, upwards: bool = False, pixel_m: float | None = None) -> TipState:
    """The state of the tip that measured `channel`. Raises RequestError for what cannot be judged.

    Lines with pixels that were not measured are left out: the longest stretch without them is judged. `upwards`: the
    lower lines were scanned first; `pixel_m` is the pixel size, where it is known.
    """
    reason = channel.why_not_restorable()
    if reason is not None:
        raise RequestError(f"the tip cannot be judged from {channel.label}: {reason}")
    start, stop = _longest(np.asarray(channel.measured.all(axis=1)))
    if min(stop - start, channel.data.shape[1]) < LEAST_SIDE:
        raise RequestError(
            f"the tip cannot be judged from {channel.label}: {LEAST_SIDE} whole lines of {LEAST_SIDE} pixels are the "
            f"least, and it has {stop - start} of {channel.data.shape[1]}"
        )
    image = np.asarray(channel.data[start:stop])
    state = judge(image, upwards)
    row = None if state.changed_at is None else state.changed_at + start
    state = replace(state, changed_at=row, recognised=_recognised(image, pixel_m))
    return replace(state, second=_second_end(image, channel.unit, pixel_m)) if _may_repeat(state) else state


def _may_repeat(state: TipState) -> bool:
    """Whether a further end would be believed: streaks, jumps and foreign lattices repeat, too, where no tip does."""
    return state.recognised and state.kind == "good"


def _second_end(image: FloatArray, unit: str, pixel_m: float | None) -> SecondEnd | None:
    """The further end that a repair of the scan would warn of, if any: one may not contradict the other."""
    tip = find_tip(image, unit, Progress(), pixel_m)
    if not tip.several:
        return None
    end = tip.ends[0]
    size = pixel_m or 1.0
    return SecondEnd(end.x_px * size, end.y_px * size, pixel_m is not None)


def _recognised(image: FloatArray, pixel_m: float | None) -> bool:
    """Whether the rows of Si(001) are seen; without a scale, whether what could be its rows has its other waves."""
    if pixel_m is None:
        rows = find_rows(image)
        if rows is None or rows.strength < _SEEN:
            return False
        pixel_m = rows.pixel_m
    return silicon_rows(image, pixel_m, pixel_m) > 0.5


def _longest(whole: BoolArray) -> tuple[int, int]:
    """The longest stretch of True: first and one past last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], whole, [False]]).astype(np.int8)))
    begins, ends = edges[::2], edges[1::2]
    if not len(begins):
        return 0, 0
    k = int((ends - begins).argmax())
    return int(begins[k]), int(ends[k])


def judge(image: FloatArray, upwards: bool = False) -> TipState:
    """The state of the tip from an image (rows, columns) without NaN, 64 pixels a side at least."""
    probabilities, change, factor = _probabilities(image)
    state = TipState(probabilities)
    if probabilities["change"] < max(probabilities["double"], probabilities["blurry"], 0.3):
        return state
    row = change_row(change, factor)
    later = image[:row] if upwards else image[row:]
    good = None
    if len(later) >= LEAST_SIDE:
        after, _, _ = _probabilities(later)
        good = max(KINDS, key=lambda kind: after[kind]) == "good"
    return TipState(probabilities, row, good)


def change_row(change: FloatArray, factor: int) -> int:
    """The row of the image at which it changes most; `change` was taken of every `factor`-th row."""
    return min(int(np.argmax(change)) * factor, len(change) * factor - 1)


def _probabilities(image: FloatArray) -> tuple[dict[TipKind, float], FloatArray, int]:
    from stmviewer.evaluate.tip_features import tip_features

    network, head = loaded()
    found = tip_features(image, np.ones(image.shape, dtype=np.bool_), network, head.sees_lattice)
    values = head.probabilities(found.values)
    return dict(zip(KINDS, (float(v) for v in values), strict=True)), found.change, found.factor


@cache
def loaded() -> tuple["EfficientNetLite0", Head]:
    from stmviewer.evaluate import efficientnet

    return efficientnet.load(judges.weights(_EMBEDDING)), load_head(str(judges.weights(NAME)))


def save_head(head: Head, path: str) -> None:
    from safetensors.numpy import save_file

    tensors = {
        "mean": head.mean, "scale": head.scale, "weights": head.weights, "bias": head.bias,
        "temperature": np.array([head.temperature]),
    }  # fmt: skip
    save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in tensors.items()}, path, {"format": _FORMAT})


def load_head(path: str) -> Head:
    """Reads what `save_head` wrote. Raises FileError for anything else."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            if (file.metadata() or {}).get("format") != _FORMAT:
                raise FileError(path, "these are not the weights of a judge of tips", "Install stmviewer again")
            t = {name: file.get_tensor(name).astype(np.float64) for name in file.keys()}  # noqa: SIM118 (not a dict)
        head = Head(t["mean"], t["scale"], t["weights"], t["bias"], float(t["temperature"][0]))
        n = len(head.mean)
        if (head.scale.shape, head.weights.shape, head.bias.shape) != ((n,), (n, len(KINDS)), (len(KINDS),)):
            raise ValueError("its tables do not fit together")
    except (SafetensorError, OSError, KeyError, ValueError, IndexError) as error:
        raise FileError(path, f"the weights are damaged ({error})", "Install stmviewer again") from error
    return head
