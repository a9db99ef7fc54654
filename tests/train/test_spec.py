import pytest

from stmviewer.scan import RequestError
from stmviewer.train.spec import TrainSpec

from . import tiny


@pytest.mark.parametrize("name", ["regression-mylab", "flow_2", "a", "Élan-7", "flow-lab2.1", "x" * 64])
def test_names_of_models(name):
    assert tiny.spec(name=name).name == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "a/b",
        "a\\b",
        "..",
        ".hidden",
        "-o",
        "a,b",
        "a:b",
        "a*",
        "a?",
        'a"',
        "a<",
        "a|b",
        "a\n",
        "x" * 65,
    ],
)
def test_names_that_no_file_list_or_shell_can_carry_are_refused(name):
    with pytest.raises(RequestError, match="is no model name"):
        tiny.spec(name=name)


@pytest.mark.parametrize("name", ["linear", "tv", "row-median", "regression", "flow", "cfm", "autoencoder"])
def test_names_of_methods_and_kinds_stay_theirs(name):
    """A model called `linear` would hide the baseline that it has to beat."""
    with pytest.raises(RequestError, match="name of a method or kind"):
        tiny.spec(name=name)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "linear"}, "of kind regression, flow, cfm, diffusion or autoencoder"),
        ({"mean_from": "regression-x"}, "only a flow starts at the mean"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": -1}, "minutes"),
        ({"minutes": float("nan")}, "minutes"),
        ({"minutes": float("inf")}, "minutes"),
        ({"steps": 0}, "1 step"),
        ({"steps": -3}, "1 step"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"crop": 60}, "multiple of 8"),
        ({"crop": 24}, "at least 32"),
    ],
)
def test_what_cannot_be_trained_is_refused(changes, says):
    with pytest.raises(RequestError, match=says):
        tiny.spec(**changes)


def test_defaults_can_be_trained():
    asked = TrainSpec("regression", "regression-mylab", "simulated:si001h")
    assert asked.steps is None
    assert asked.minutes > 0


def test_settings_are_what_resuming_must_agree_on():
    asked = tiny.spec(listed=("a.png", "b.png"))
    settings = asked.settings()
    assert settings["listed"] == ["a.png", "b.png"]
    assert settings == tiny.spec(listed=("a.png", "b.png"), steps=99, minutes=3).settings()
    assert settings != tiny.spec(listed=("a.png",)).settings()
    flow = {"kind": "flow", "start_from": "flow-a"}
    assert tiny.spec(**flow).settings() != tiny.spec(**flow, mean_from="regression-b").settings()
