"""`stmviewer train` itself, as small as a test needs it: a tiny network, few checks, and what is resumed ends soon."""

import sys

from stmviewer import paths
from stmviewer.cli import train
from stmviewer.cli.main import run
from stmviewer.train import checkpoint, coverage, makers
from stmviewer.train.work import Work

_MORE_STEPS = 3


def _soon_over(words: list[str]) -> list[str]:
    """The same command with a number of steps in place of the time, which says nothing on a busy machine."""
    state = Work(paths.user_models(), words[words.index("--name") + 1]).state
    return [*words, "--train-steps", str(checkpoint.read(state).counters.step + _MORE_STEPS)]


if __name__ == "__main__":
    train._SIZES["small"] = (8, 16, 16)
    makers.VALIDATION_SAMPLES = 2
    coverage._IMAGES = 2
    words = sys.argv[1:]
    sys.exit(run(_soon_over(words) if "--resume" in words else words))
