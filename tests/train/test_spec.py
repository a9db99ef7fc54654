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
        ({"image_pixel_m": 0.0}, "pixel size must be a positive length"),
        ({"image_pixel_m": -1e-10}, "pixel size must be a positive length"),
        ({"image_pixel_m": float("nan")}, "pixel size must be a positive length"),
        ({"image_pixel_m": float("inf")}, "pixel size must be a positive length"),
        ({"image_pixel_m": 1e-10, "size_by_rows": True}, "not both"),
    ],
)
def test_what_cannot_be_trained_is_refused(changes, says):
    with pytest.raises(RequestError, match=says):
        tiny.spec(**changes)


def test_defaults_can_be_trained():
    asked = TrainSpec("regression", "regression-mylab", "simulated:si001h")
    assert asked.steps is None
    assert asked.minutes > 0


def test_a_training_on_one_task_alone_makes_a_model_of_that_task():
    assert tiny.spec().tasks == ("repair", "sparse")
    assert tiny.spec(repair_share=1).tasks == ("repair",)
    assert tiny.spec(repair_share=0.0).tasks == ("sparse",)


def test_settings_are_what_resuming_must_agree_on():
    asked = tiny.spec(listed=("a.png", "b.png"))
    settings = asked.settings()
    assert settings["listed"] == ["a.png", "b.png"]
    assert settings == tiny.spec(listed=("a.png", "b.png"), steps=99, minutes=3).settings()
    assert settings != tiny.spec(listed=("a.png",)).settings()
    assert tiny.spec(image_pixel_m=1e-10).settings() != tiny.spec(image_pixel_m=2e-10).settings()
    assert tiny.spec(repair_share=0).settings() != tiny.spec(repair_share=0.5).settings()
    assert tiny.spec(repair_share=0.4).settings() == tiny.spec(repair_share=0.5).settings()
    flow = {"kind": "flow", "start_from": "flow-a"}
    assert tiny.spec(**flow).settings() != tiny.spec(**flow, mean_from="regression-b").settings()
