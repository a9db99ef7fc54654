"""`stmviewer clip`: the weights that CMMD needs, and where they are."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from stmviewer.cli.console import print_json

if TYPE_CHECKING:
    from stmviewer.evaluate.clip_weights import ClipWeights


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--download",
        action="store_true",
        help="fetch them as safetensors from the Hugging Face hub (1.7 GB, 1.2 GB are kept), hash checked; the only "
        "command that ever uses a network",
    )
    what.add_argument(
        "--use",
        type=Path,
        metavar="PATH",
        help="use this safetensors file or folder from now on, of OpenCLIP or of transformers; files of PyTorch (.bin, "
        ".pt) are never opened",
    )
    what.add_argument("--forget", action="store_true", help="use what --use named no more")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    from stmviewer.evaluate import clip_weights

    weights: ClipWeights | None = None
    if arguments.download:
        weights = clip_weights.download()
    elif arguments.use:
        weights = clip_weights.use(arguments.use)
    elif arguments.forget:
        clip_weights.forget()
    path = weights.path if weights else clip_weights.find()
    facts = {
        "path": str(path) if path else None,
        "sha256": weights.sha256 if weights else None,
        "published": weights.confirmed if weights else None,
        "repository": clip_weights.REPOSITORY,
        "revision": clip_weights.REVISION,
    }
    if arguments.json:
        print_json(facts)
        return 0
    if path is None:
        print(f"There are no CLIP weights, so CMMD cannot be computed. {clip_weights.ADVICE}")
        return 0
    print(f"CLIP weights: {path}")
    if weights:
        source = f"{clip_weights.NETWORK}, from {clip_weights.REPOSITORY} at {clip_weights.REVISION[:12]}"
        print(f"SHA-256 {weights.sha256}")
        print(f"They are those of {source}" if weights.confirmed else f"They are not known to be those of {source}")
    return 0
