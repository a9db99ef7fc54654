"""Processing of scans that microscopes have measured."""

from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.scan import Channel, History, Scan
from stmviewer.scan.processing.scans import processed

pytestmark = pytest.mark.real_data


def both(scan: Scan, steps: str) -> list[Channel]:
    made, _ = processed(scan, scan.channel(), History.from_text(steps))
    return [channel for channel in made.channels if channel.role == "processed"]


def difference(channels: list[Channel]) -> float:
    forward, backward = (channel.data[:, 20:-20] for channel in channels)
    off = forward - backward
    return float(np.nanmean(np.abs(off - np.nanmedian(off))))


@pytest.mark.parametrize(("name", "left"), [("pyspm/test.sxm", 0.4), ("alexriss-spmimagetycoon/Image_398.sxm", 0.75)])
def test_forward_and_backward_agree_better_once_their_lag_is_taken_out(real_data: Path, name: str, left: float) -> None:
    scan = open_scan(real_data / "scans" / name)
    before, after = (difference(both(scan, steps)) for steps in ("align-rows", "align-rows; drift:directions"))
    assert after < left * before
