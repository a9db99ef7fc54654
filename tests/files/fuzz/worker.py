"""Reads damaged files in a process of its own, which the campaign can end when one hangs.

Arguments: seed, the kinds (comma-separated), then on stdin one number of a case a line. Says on stdout, as a line of
JSON each, what it is about to read and how that ended.
"""

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from .judge import judge
from .mutations import damaged
from .seeds import put, seeds


def case(seed: int, number: int, kinds: list[str]) -> tuple[str, str, bytes, str]:
    """Kind, name, damaged content and damage of a case: the same for the same numbers and files."""
    rng = np.random.default_rng([seed, number])
    kind = kinds[number % len(kinds)]
    whole = seeds(kind)
    name, content = whole[int(rng.integers(len(whole)))]
    content, damage = damaged(content, rng)
    return kind, name, content, damage


def main() -> None:
    seed, kinds = int(sys.argv[1]), sys.argv[2].split(",")
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory() as folder:
        for line in sys.stdin:
            number = int(line)
            kind, name, content, damage = case(seed, number, kinds)
            path = put(Path(folder), kind, name, content)
            print(json.dumps({"begins": number, "kind": kind, "of": name, "damage": damage}), flush=True)
            print(json.dumps({"ends": number, **asdict(judge(path))}), flush=True)


if __name__ == "__main__":
    main()
