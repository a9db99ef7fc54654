"""Which networks `auto` tries: the user's own join those that ship, and never displace them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stmviewer import paths
from stmviewer.restore import ModelInfo, RestoreRequest, library
from stmviewer.restore.case import Case
from stmviewer.restore.choice import networks_tried, networks_untried
from stmviewer.restore.models import RegressionModel
from stmviewer.restore.pipeline import restore
from stmviewer.restore.weights import save_weights
from stmviewer.scan import FileError, Geometry, Progress, Scan, make_mask

SHIPPED = [
    ModelInfo(f"regression-{family}", "regression", family, "", ("repair", "sparse"), True, source="shipped")
    for family in ("sim", "si100h")
]


def own(name: str, **values: object) -> ModelInfo:
    known = {"kind": "regression", "tasks": ("repair", "sparse"), "pixels_m": (0.05e-9, 0.2e-9)} | values
    return ModelInfo(name, family="lab", summary="", learned=True, source="user", **known)  # type: ignore[arg-type]


def case(side: int = 64, pixel_m: float | None = 0.1e-9) -> Case:
    geometry = Geometry.of_pixels(side, side)
    if pixel_m:
        geometry = Geometry(side, side, side * pixel_m, side * pixel_m)
    return Case(np.zeros((side, side)), make_mask("lines:4", side, side), geometry)


def test_those_that_ship_stay_however_many_the_user_has() -> None:
    mine = [own(f"regression-{k}") for k in "abcde"]
    infos = [*mine, *SHIPPED]
    tried = networks_tried(infos, case())
    assert tried == ["regression-sim", "regression-si100h", "regression-a", "regression-b", "regression-c"]
    assert networks_untried(infos, tried) == ["regression-d", "regression-e"]


def test_the_users_own_are_fewer_on_large_scans() -> None:
    infos = [own("regression-a"), own("regression-b"), *SHIPPED]
    assert networks_tried(infos, case(2300)) == ["regression-sim", "regression-si100h", "regression-a"]


@pytest.mark.parametrize(
    ("pixel_m", "last"), [(0.1e-9, "regression-a"), (0.3e-9, "regression-d"), (None, "regression-d")]
)
def test_those_whose_training_holds_the_pixels_come_first(pixel_m: float | None, last: str) -> None:
    mine = [
        own("regression-a", pixels_m=(0.25e-9, 0.5e-9)),
        own("regression-b", pixels_m=()),
        own("regression-c"),
        own("regression-d"),
    ]
    infos = [*mine, *SHIPPED]
    assert networks_untried(infos, networks_tried(infos, case(pixel_m=pixel_m))) == [last]


def test_other_kinds_and_tasks_are_not_tried_and_not_missed() -> None:
    infos = [own("flow-a", kind="flow"), own("regression-r", tasks=("repair",)), *SHIPPED]
    tried = networks_tried(infos, case())
    assert tried == ["regression-sim", "regression-si100h"]
    assert networks_untried(infos, tried) == []


@pytest.fixture
def my_models(tiny_models: Path, regression: RegressionModel) -> list[str]:
    """Four regressions and an autoencoder of the user's own beside `regression-tiny`, which ships."""
    folder = paths.user_models()
    folder.mkdir(parents=True, exist_ok=True)
    names = ["autoencoder-mine", *(f"regression-mine{k}" for k in range(4))]
    for name in names:
        kind = name.partition("-")[0]
        save_weights(regression, folder / f"{name}.safetensors")
        library.register(ModelInfo(name, kind, "mine", "", ("repair", "sparse"), learned=True), folder)
    return names


def test_a_restoration_tries_both_and_says_what_it_left(my_models: list[str], make_scan: Callable[..., Scan]) -> None:
    result = restore(make_scan(), RestoreRequest(task="sparse", mask="lines:2", device="cpu"), Progress())
    tried = {s["method"] for s in result.provenance["self_check"]["scores"]}
    assert {"regression-tiny", "regression-mine0", "regression-mine1", "regression-mine2", "linear"} <= tried
    assert not {"regression-mine3", "autoencoder-mine"} & tried
    (said,) = [c for c in result.checks if c.text.startswith("Not tried")]
    assert said.text == "Not tried, to save time: regression-mine3. Name one to use it"
    assert not said.warns


def test_a_repair_is_left_to_the_recommended_kind(tiny_models: Path) -> None:
    paths.user_models().mkdir(parents=True, exist_ok=True)
    (paths.user_models() / "autoencoder-mine.safetensors").write_bytes(b"not looked into")
    mine = ModelInfo("autoencoder-mine", "autoencoder", "mine", "", ("repair",), learned=True)
    library.register(mine, paths.user_models())
    assert library.model_infos()[1].name == "autoencoder-mine"
    assert library.resolve("auto", "repair").name == "regression-tiny"


def test_a_damaged_model_of_the_users_own_is_not_the_end_of_a_repair(
    my_models: list[str], make_scan: Callable[..., Scan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stmviewer.restore.loading._loaded", {})  # where the same weights are held by another name
    names = [name for name in my_models if name.startswith("regression")]
    for name in names[:2]:
        (paths.user_models() / f"{name}.safetensors").unlink()
    request = RestoreRequest(task="repair", model="auto", device="cpu")
    result = restore(make_scan(), request, Progress())
    assert result.model == names[2]
    assert [w.partition(":")[0] for w in result.warnings if "left out" in w] == [
        f"{name} was left out" for name in names[:2]
    ]
    monkeypatch.setattr("stmviewer.restore.loading._loaded", {})
    with pytest.raises(FileError, match="the weights are missing"):  # who names it is told
        restore(make_scan(), request.replaced(model=names[0]), Progress())
