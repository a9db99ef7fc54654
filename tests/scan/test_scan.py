"""Choosing a channel of a scan, and what is said when there is none."""

from pathlib import Path

import numpy as np
import pytest

from stmviewer.scan import Channel, FileError, Geometry, RequestError, Role, Scan

IMAGE = np.zeros((4, 4))


def scan_of(*channels: Channel) -> Scan:
    return Scan(channels, Geometry(4, 4, 1e-9, 1e-9), path=Path("folder/a.sxm"))


def channel(name: str, unit: str = "A", direction: str = "forward", role: Role = "raw") -> Channel:
    return Channel(name, unit, IMAGE, direction, role)  # type: ignore[arg-type]


def test_channels_are_found_by_name_in_any_case_and_direction() -> None:
    back = channel("Current", direction="backward")
    scan = scan_of(back, channel("Current"), channel("Z", "m"))
    assert scan.channel("current").direction == "forward"
    assert scan.channel("CURRENT", "backward") is back
    assert scan.channel_names == ["Current", "Z"]
    assert scan.directions("Current") == ["backward", "forward"]


def test_without_a_forward_channel_the_backward_one_is_taken() -> None:
    back = channel("Z", "m", "backward")
    assert scan_of(back).channel() is back
    assert scan_of(back).channel("z") is back


@pytest.mark.parametrize(
    ("channels", "default"),
    [
        ((channel("Current"), channel("Z", "m")), "Z"),
        ((channel("X", "m"), channel("Topography", "m")), "Topography"),
        ((channel("Current"), channel("LockIn", "m")), "LockIn"),
        ((channel("Z"), channel("Drift", "m", role="deviation")), "Z"),
        ((channel("Bias", "V"), channel("Current")), "Bias"),
    ],
)
def test_the_topography_is_shown_first(channels: tuple[Channel, ...], default: str) -> None:
    scan = scan_of(*channels)
    assert scan.default_channel_name() == default
    assert scan.channel().name == default


@pytest.mark.parametrize(("name", "direction"), [("Phase", None), ("Z", "backward"), (None, "backward"), ("", None)])
def test_a_missing_channel_is_named_beside_those_that_are_there(name: str | None, direction: str | None) -> None:
    scan = scan_of(channel("Z", "m"), channel("Current"))
    with pytest.raises(RequestError) as caught:
        scan.channel(name, direction)  # type: ignore[arg-type]
    text = str(caught.value)
    assert text.startswith("a.sxm has no channel")
    assert text.endswith("it has: Z forward, Current forward")
    assert all(word in text for word in (name, direction) if word)


def test_the_raw_channel_of_a_restored_scan_comes_first() -> None:
    raw = channel("Z", "m")
    scan = scan_of(raw, channel("Z", "", role="mask"), channel("Z", "m", role="restored"))
    assert scan.channel("Z") is raw
    assert scan.channel() is raw


def test_a_scan_needs_a_channel() -> None:
    with pytest.raises(ValueError, match="at least one channel"):
        scan_of()


def test_file_errors_name_file_cause_and_advice() -> None:
    error = FileError("a/b.sxm", "the header ends at byte 12", "Copy it again")
    assert str(error) == "a/b.sxm: the header ends at byte 12. Copy it again"
    assert (error.path, error.cause, error.advice) == (Path("a/b.sxm"), "the header ends at byte 12", "Copy it again")
    assert str(FileError("b", "is empty")) == "b: is empty"
