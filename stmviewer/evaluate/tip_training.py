"""Training the judge of tips: a softmax regression with weighted classes, its temperature, and what is said of it.

The judge is trained by `tests/tools/train_tipstate.py`; this is the arithmetic. It is trained on labels that people
gave, never on or for restorations.
"""

from dataclasses import dataclass

import numpy as np

from stmviewer.evaluate.tip_state import KINDS, Head, softmax
from stmviewer.scan import FloatArray

#: weight of a class: its count to this power; -1 would weigh every class alike, 0 every image
_BALANCE = -0.5


#: a label that n people gave is right with the share (n + 1) / (n + 1.5): of asymmetric tips that three or more people
#: saw, one of them says so in 0.74 (95 %: 0.48 to 0.89), of tip changes in 0.93
_DOUBT = (1.0, 1.5)
#: what it is where it is wrong, label by label: good and asymmetric are taken for each other, changed and blurry too
_INSTEAD = np.array(
    [
        [0.0, 0.6, 0.1, 0.3],
        [0.8, 0.0, 0.05, 0.15],
        [0.4, 0.1, 0.0, 0.5],
        [0.4, 0.2, 0.4, 0.0],
    ]
)


def soft_labels(labels: np.ndarray, raters: np.ndarray) -> FloatArray:
    """What an image is, (images, kinds), of `labels` (images,) 0 to 3 that as many `raters` (images,) gave."""
    right = (raters + _DOUBT[0]) / (raters + _DOUBT[1])
    result: FloatArray = np.eye(len(KINDS))[labels] * right[:, None] + _INSTEAD[labels] * (1 - right)[:, None]
    return result


def fit_head(
    values: FloatArray, labels: np.ndarray, penalty: float, steps: int = 60, shares: FloatArray | None = None
) -> Head:
    """The softmax regression of `labels` (images,) 0 to 3 on `values` (images, features), temperature 1.

    `shares` (images, kinds) is what is learned where labels are doubtful; else they are taken as certain. `penalty`
    times the squared weights is added to the mean weighted cross entropy; features have unit variance.
    """
    import torch

    mean, scale = values.mean(axis=0), values.std(axis=0) + 1e-3
    x = torch.from_numpy(np.clip((values - mean) / scale, -6, 6)).float()
    target = torch.from_numpy(np.eye(len(KINDS))[labels] if shares is None else shares).float()
    counts = np.maximum(np.bincount(labels, minlength=len(KINDS)), 1)
    weight = ((counts / counts.mean()) ** _BALANCE)[labels]
    share = torch.from_numpy(weight / weight.mean()).float()
    weights = torch.zeros(x.shape[1], len(KINDS), requires_grad=True)
    bias = torch.zeros(len(KINDS), requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=steps, history_size=10, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        surprise = -(torch.log_softmax(x @ weights + bias, dim=1) * target).sum(dim=1)
        value = (surprise * share).mean() + penalty * (weights**2).sum()
        value.backward()
        return value

    optimiser.step(loss)
    return Head(mean, scale, weights.detach().double().numpy(), bias.detach().double().numpy(), 1.0)


def fit_temperature(logits: FloatArray, labels: np.ndarray) -> float:
    """The temperature with the highest likelihood of `labels`, from logits of images that were not trained on."""
    from scipy.optimize import minimize_scalar

    def surprise(log_temperature: float) -> float:
        shares = softmax(logits / np.exp(log_temperature))
        return float(-np.log(np.maximum(shares[np.arange(len(labels)), labels], 1e-12)).mean())

    return float(np.exp(minimize_scalar(surprise, bounds=(-3, 3), method="bounded").x))


@dataclass(frozen=True)
class Report:
    """How well labels are met: `confusion` [label][answer] in images, `ece` the expected calibration error of the
    likeliest kind (Guo et al., ICML 2017; ten bins)."""

    images: int
    accuracy: float
    balanced: float
    ece: float
    confusion: np.ndarray


def report(probabilities: FloatArray, labels: np.ndarray, bins: int = 10) -> Report:
    answers = probabilities.argmax(axis=1)
    confusion = np.zeros((len(KINDS), len(KINDS)), dtype=np.int64)
    np.add.at(confusion, (labels, answers), 1)
    there = confusion.sum(axis=1)
    recall = np.diag(confusion)[there > 0] / there[there > 0]
    sure, right = probabilities.max(axis=1), answers == labels
    at = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(float(sure[at == k].mean() - right[at == k].mean())) * float((at == k).mean()) for k in np.unique(at)]
    return Report(len(labels), float(right.mean()), float(recall.mean()), float(sum(gaps)), confusion)


def folds(sessions: list[str], count: int = 5) -> dict[str, int]:
    """A fold for each session, so that the folds have about the same number of images; `sessions` one an image."""
    names, sizes = np.unique(sessions, return_counts=True)
    load = [0] * count
    result = {}
    for k in np.argsort(-sizes, kind="stable"):
        fold = int(np.argmin(load))
        load[fold] += int(sizes[k])
        result[str(names[k])] = fold
    return result


def table(found: Report) -> str:
    """The confusion matrix as Markdown, labels down and answers across."""
    lines = ["| label | " + " | ".join(KINDS) + " | recall |", "|---|" + "---|" * (len(KINDS) + 1)]
    for kind, row in zip(KINDS, found.confusion, strict=True):
        recall = row[KINDS.index(kind)] / row.sum() if row.sum() else float("nan")
        lines.append(f"| {kind} | " + " | ".join(map(str, row)) + f" | {recall:.2f} |")
    return "\n".join(lines)
