"""The spaces that sets are compared in here, and what the reader should know before believing the numbers."""

from collections.abc import Mapping, Sequence

from stmviewer.evaluate import clip_weights, spaces
from stmviewer.evaluate.cmmd import Embedder
from stmviewer.evaluate.spaces import FEW, Space
from stmviewer.evaluate.study.request import REPAIR, StudyRequest
from stmviewer.evaluate.study.sources import Image


def chosen_spaces(request: StudyRequest, notes: list[str]) -> list[Space]:
    """The stand-ins, and CMMD before them where its weights are; `notes` get what is to be said of that."""
    found = spaces.stand_ins()
    weights = clip_weights.find(request.clip)
    if weights is None:
        notes.append(
            "CMMD is not computed: it needs the weights of CLIP ViT-L/14 at 336 pixels, which are not on this "
            f"computer. {clip_weights.ADVICE}. The distances below are MMDs on networks that come with stmviewer, "
            "not CMMD, and do not compare with published numbers"
        )
        return found
    embedder = Embedder(weights, request.device)
    if not embedder.weights.confirmed:
        notes.append(
            f"The CLIP weights ({embedder.path.name}, SHA-256 {embedder.sha256[:16]}…) are not known to be those of "
            f"{clip_weights.NETWORK} that stmviewer would fetch; if they are others, this is not the published CMMD"
        )
    return [spaces.clip_space(embedder), *found]


def warnings(
    request: StudyRequest, tasks: Mapping[str, Sequence[Image]], good: Sequence[Image], resumed: bool
) -> list[str]:
    """`tasks` are the images of each task, `good` the set that they are compared with."""
    found = []
    least = min(len(good), *(len(images) for images in tasks.values()))
    if least < FEW:
        found.append(
            f"The smallest set has {least} images, fewer than {FEW}: distances of sets are rough. The estimator of "
            "CMMD is biased: for equal distributions its mean is 1000 (1/n + 1/m) (1 − mean kernel), not 0, so small "
            "sets look further apart than they are. Compare sets of the same size, and look at the unbiased values "
            "and at the good images' own two halves"
        )
    groups = min(len({i.group for i in images}) for images in (good, *tasks.values()))
    if groups < spaces.LEAST_GROUPS:
        places = f"{groups} place or session" if groups == 1 else f"{groups} places or sessions"
        found.append(f"The images are of {places} only: intervals say little of the next one, and distances have none")
    names = {i.name for i in good}
    if any(i.name in names for images in tasks.values() for i in images):
        found.append(
            "Restored images are compared with a set that has their own originals. The unbiased distances leave each "
            "image's own original out; CMMD is taken as it is defined, and is smaller for that"
        )
    if request.degraded is None and REPAIR in tasks:
        nominal = any(not (i.in_metres and i.scan.geometry.calibrated) for i in good)
        found.append(
            f"Repairs are of simulated damage (preset {request.preset}); real damage may differ"
            + (". Scans without a size, or in no metres, were degraded at a nominal scale" if nominal else "")
        )
    if resumed:
        found.append("The study was stopped and went on: its time is that of the last part")
    return found
