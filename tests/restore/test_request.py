"""Requests: JSON and back, the command line and back, and bad values refused in one line."""

import json
import shlex
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stmviewer.cli.main import parser
from stmviewer.restore import RestoreRequest
from stmviewer.scan import RequestError

names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
masks = st.one_of(st.none(), st.sampled_from(["file", "lines:4", "pixels:0.25", "my masks/a b.npz"]))


@st.composite
def requests(draw: st.DrawFn) -> RestoreRequest:
    task = draw(st.sampled_from(["repair", "sparse"]))
    return RestoreRequest(
        task=task,
        channel=draw(st.none() | names),
        direction=draw(st.sampled_from([None, "forward", "backward"])),
        model=draw(names),
        steps=draw(st.none() | st.integers(1, 1000)),
        samples=draw(st.integers(1, 100)),
        seed=draw(st.integers(0, 2**40)),
        mask=draw(masks) if task == "sparse" else draw(st.sampled_from([None, "file"])),
        trust=draw(st.sampled_from(["keep", "consistent"])),
        align_rows=draw(st.booleans()),
        tile=draw(st.none() | st.integers(32, 4096)),
        device=draw(st.sampled_from(["auto", "cpu", "cuda"])),
        check=draw(st.booleans()),
        tips=draw(st.booleans()),
    )


@settings(deadline=None)
@given(requests())
def test_requests_survive_json(request_made: RestoreRequest) -> None:
    assert RestoreRequest.from_json(request_made.to_json()) == request_made


@settings(deadline=None, max_examples=60)
@example(RestoreRequest(channel="-Z", model="--help"), "-o")
@example(RestoreRequest(channel="it's $HOME; `x`", model="a b"), "my scans/Ä 1.sxm")
@given(requests(), names)
def test_the_command_line_asks_for_the_same(request_made: RestoreRequest, path: str) -> None:
    words = shlex.split(request_made.command(path))
    assert words[:2] == ["stmviewer", "restore"]
    arguments = parser().parse_args(words[1:])
    assert len(arguments.files) == 1
    assert arguments.files[0].name == path.rstrip("/").rpartition("/")[2] or path.strip("/.") == ""
    values = {f.name: getattr(arguments, f.name) for f in fields(RestoreRequest)}
    assert RestoreRequest(**values) == request_made


def test_the_command_is_short_where_the_request_is_usual() -> None:
    assert RestoreRequest().command("a.sxm") == "stmviewer restore a.sxm --task repair --model auto -o restored"
    sparse = RestoreRequest(task="sparse", mask="lines:4", model="flow", samples=4, trust="consistent")
    assert sparse.command("my scan.sxm") == (
        "stmviewer restore 'my scan.sxm' --task sparse --mask lines:4 --model flow --samples 4 --trust consistent "
        "-o restored"
    )


BAD: list[tuple[dict[str, Any], str]] = [
    ({"task": "sharpen"}, "task is repair or sparse, not 'sharpen'"),
    ({"trust": "blindly"}, "trust is keep or consistent, not 'blindly'"),
    ({"device": "tpu"}, "device is auto or cpu or cuda, not 'tpu'"),
    ({"direction": "sideways"}, "direction is forward or backward, not 'sideways'"),
    ({"steps": 0}, "steps must be 1 to 1000, not 0"),
    ({"steps": 1001}, "steps must be 1 to 1000"),
    ({"samples": 0}, "samples must be 1 to 100, not 0"),
    ({"samples": 101}, "samples must be 1 to 100"),
    ({"seed": -1}, "the seed must not be negative"),
    ({"tile": 31}, "tile must be 32 to 4096 pixels, not 31"),
    ({"tile": 5000}, "tile must be 32 to 4096"),
    ({"task": "repair", "mask": "lines:4"}, "a mask belongs to the sparse task"),
    ({"steps": "4"}, "steps must be a whole number, not '4'"),
    ({"steps": 2.0}, "steps must be a whole number"),
    ({"seed": 1.5}, "seed must be a whole number"),
    ({"seed": None}, "seed must be a whole number"),
    ({"samples": True}, "samples must be a whole number, not True"),
    ({"samples": [1]}, "samples must be a whole number"),
    ({"tile": "auto"}, "tile must be a whole number"),
    ({"align_rows": "no"}, "align_rows must be true or false, not 'no'"),
    ({"align_rows": 1}, "align_rows must be true or false"),
    ({"channel": 5}, "channel must be a text, not 5"),
    ({"model": None}, "model must be a text"),
    ({"task": ["repair"]}, "task must be a text"),
    ({"mask": {"lines": 4}, "task": "sparse"}, "mask must be a text"),
]


@pytest.mark.parametrize(("values", "message"), BAD)
def test_bad_values_are_refused_from_code_and_from_json(values: dict[str, Any], message: str) -> None:
    for make in (lambda: RestoreRequest(**values), lambda: RestoreRequest.from_json(json.dumps(values))):
        with pytest.raises(RequestError) as caught:
            make()
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '"repair"', "null", '{"colour": "blue"}', '{"steps": NaN}'])
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        RestoreRequest.from_json(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
known = st.sampled_from([f.name for f in fields(RestoreRequest)])


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(known | st.text(max_size=3), json_values, max_size=4) | json_values)
def test_any_json_is_a_request_or_a_request_error(values: Any) -> None:
    try:
        made = RestoreRequest.from_json(json.dumps(values))
    except RequestError:
        return
    assert RestoreRequest.from_json(made.to_json()) == made


def test_a_changed_request_is_checked_too() -> None:
    assert RestoreRequest().replaced(task="sparse", mask="grid:2").mask == "grid:2"
    with pytest.raises(RequestError, match="samples must be"):
        RestoreRequest().replaced(samples=0)
