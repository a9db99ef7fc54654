"""Which models there are, which one a name means, and what is said when there is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from stmviewer import paths
from stmviewer.files import file_sha256
from stmviewer.restore import ModelInfo, library
from stmviewer.restore.classical import CLASSICAL
from stmviewer.restore.learned import LearnedRestorer
from stmviewer.restore.models import FlowModel, RegressionModel
from stmviewer.restore.weights import save_weights
from stmviewer.scan import FileError, RequestError


def add(model: RegressionModel | FlowModel, folder: Path, name: str, **values: object) -> ModelInfo:
    kind, _, family = name.partition("-")
    shown = {"tasks": ("repair", "sparse"), "summary": "for tests"} | values
    info = ModelInfo(name, kind, family, learned=True, **shown)  # type: ignore[arg-type]
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(model, folder / f"{name}.safetensors")
    library.register(info, folder)
    return info


def names() -> list[str]:
    return [i.name for i in library.model_infos()]


@pytest.mark.usefixtures("no_shipped_models")
def test_without_weights_there_are_the_classical_methods() -> None:
    assert names() == ["auto", *CLASSICAL]
    assert all(not i.learned and i.source == "built-in" for i in library.model_infos())


def test_models_are_listed_best_first(no_shipped_models: Path, regression: RegressionModel, flow: FlowModel) -> None:
    add(flow, no_shipped_models, "flow-sim")
    add(regression, no_shipped_models, "regression-sim")
    add(regression, no_shipped_models, "regression-si100h")
    add(flow, paths.user_models(), "flow-mine")
    assert names() == ["auto", "flow-mine", "regression-sim", "regression-si100h", "flow-sim", *CLASSICAL]


def test_a_registered_model_is_listed_as_it_was_described(no_shipped_models: Path, regression: RegressionModel) -> None:
    info = add(
        regression,
        no_shipped_models,
        "regression-lab",
        tasks=("sparse",),
        steps=(1, 4),
        samples=True,
        licence="GPL-3.0",
    )
    (entry,) = library.entries().values()
    assert entry.info == ModelInfo(**{**vars(info), "source": "shipped"})
    assert entry.weights.is_file()
    assert entry.sha256 == file_sha256(entry.weights)
    assert entry.card.name == "regression-lab.md"


def test_a_name_a_kind_and_a_method(no_shipped_models: Path, regression: RegressionModel, flow: FlowModel) -> None:
    add(regression, no_shipped_models, "regression-sim", tasks=("sparse",))
    add(regression, no_shipped_models, "regression-si100h")
    add(flow, no_shipped_models, "flow-sim")
    assert library.resolve("regression-sim", "sparse").name == "regression-sim"
    assert library.resolve("regression", "sparse").name == "regression-sim"
    assert library.resolve("regression", "repair").name == "regression-si100h"  # the best family that does the task
    assert library.resolve("flow", "repair").name == "flow-sim"
    assert library.resolve("cubic", "sparse").name == "cubic"


def test_unknown_models_and_tasks_are_answered_with_what_there_is(
    no_shipped_models: Path, regression: RegressionModel
) -> None:
    add(regression, no_shipped_models, "regression-sim", tasks=("sparse",))
    with pytest.raises(RequestError, match="there is no model 'magic'; there are auto, regression-sim, linear, cubic"):
        library.resolve("magic", "sparse")
    with pytest.raises(RequestError, match="model 'cubic' does not do the task repair; these do: tv, row-median"):
        library.resolve("cubic", "repair")
    with pytest.raises(RequestError, match="model 'regression' does not do the task repair"):
        library.resolve("regression", "repair")


def test_a_users_model_hides_a_shipped_one(
    no_shipped_models: Path, regression: RegressionModel, flow: FlowModel
) -> None:
    add(regression, no_shipped_models, "regression-sim", summary="shipped")
    add(regression, paths.user_models(), "regression-sim", summary="mine")
    assert [(i.summary, i.source) for i in library.model_infos() if i.learned] == [("mine", "user")]
    assert library.entries()["regression-sim"].folder == paths.user_models()


def test_training_again_replaces_an_entry_and_leaves_the_others(
    no_shipped_models: Path, regression: RegressionModel, flow: FlowModel
) -> None:
    add(regression, no_shipped_models, "regression-a")
    add(flow, no_shipped_models, "flow-a")
    before = library.entries()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regression.net.leave.bias, "data", regression.net.leave.bias.data + 1)
        add(regression, no_shipped_models, "regression-a", summary="again")
    after = library.entries()
    assert after["flow-a"] == before["flow-a"]
    assert after["regression-a"].info.summary == "again"
    assert after["regression-a"].sha256 != before["regression-a"].sha256
    assert sorted(p.name for p in no_shipped_models.iterdir()) == [
        "flow-a.safetensors", "manifest.json", "regression-a.safetensors",
    ]  # fmt: skip


def test_what_a_newer_version_writes_beside_is_ignored(no_shipped_models: Path, regression: RegressionModel) -> None:
    add(regression, no_shipped_models, "regression-sim")
    manifest = library.read_manifest(no_shipped_models)
    manifest["regression-sim"]["colour"] = "blue"
    (no_shipped_models / "manifest.json").write_text(json.dumps(manifest))
    assert names()[1] == "regression-sim"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "not a JSON object"),
        ('{"a": 5}', "the entry of model 'a' is damaged"),
        ('{"a": {}}', "the entry of model 'a' is damaged"),
        ('{"a": {"sha256": "0"}}', "the entry of model 'a' is damaged"),
    ],
)
def test_a_damaged_list_of_models_is_named(text: str, cause: str, no_shipped_models: Path) -> None:
    (no_shipped_models / "manifest.json").write_text(text)
    with pytest.raises(FileError, match=cause) as caught:
        library.model_infos()
    assert caught.value.path == no_shipped_models / "manifest.json"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tasks", 5),
        ("tasks", "sparse"),
        ("tasks", []),
        ("tasks", ["sharpen"]),
        ("tasks", [["sparse"]]),
        ("kind", None),
        ("summary", 3),
        ("steps", "4"),
        ("steps", ["4"]),
    ],
)
def test_entries_with_wrong_types_are_named(
    key: str, value: object, no_shipped_models: Path, regression: RegressionModel
) -> None:
    add(regression, no_shipped_models, "regression-sim")
    manifest = library.read_manifest(no_shipped_models)
    manifest["regression-sim"][key] = value
    (no_shipped_models / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(FileError, match="the entry of model 'regression-sim' is damaged"):
        library.model_infos()


class TestLoading:
    def test_classical_methods_have_no_weights(self) -> None:
        assert library.load(CLASSICAL["tv"].info) == (CLASSICAL["tv"], "")

    def test_a_model_is_loaded_once(self, tiny_models: Path) -> None:
        info = library.resolve("flow", "sparse")
        restorer, digest = library.load(info, "cpu")
        assert isinstance(restorer, LearnedRestorer)
        assert isinstance(restorer.model, FlowModel)
        assert str(restorer.device) == "cpu"
        assert digest == file_sha256(tiny_models / "flow-tiny.safetensors")
        assert library.load(info, "cpu")[0] is restorer

    def test_weights_that_are_not_the_listed_ones_are_not_loaded(
        self, tiny_models: Path, regression: RegressionModel
    ) -> None:
        path = tiny_models / "regression-tiny.safetensors"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        self.forget()
        with pytest.raises(FileError, match="wrong hash") as caught:
            library.load(library.resolve("regression", "sparse"), "cpu")
        assert caught.value.path == path

    def test_missing_and_unreadable_weights(self, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.forget()
        info = library.resolve("regression", "sparse")

        really_open = Path.open

        def denied(path: Path, *rest: Any, **named: Any) -> Any:
            if path.suffix == ".safetensors":
                raise PermissionError(13, "Permission denied")
            return really_open(path, *rest, **named)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", denied)
            with pytest.raises(FileError, match="permission"):
                library.load(info, "cpu")
        (tiny_models / "regression-tiny.safetensors").unlink()
        with pytest.raises(FileError, match="the weights are missing"):
            library.load(info, "cpu")

    def test_a_long_session_keeps_few_models(self, no_shipped_models: Path, regression: RegressionModel) -> None:
        from stmviewer.restore import loading

        self.forget()
        for k in range(loading._KEPT + 3):
            regression.net.leave.bias.data += 0.1
            library.load(add(regression, no_shipped_models, f"regression-{k}"), "cpu")
        assert len(loading._loaded) == loading._KEPT

    @staticmethod
    def forget() -> None:
        from stmviewer.restore import loading

        loading._loaded.clear()


def test_a_model_under_another_name_has_another_family() -> None:
    info = ModelInfo("regression-sim", "regression", "sim", "", ("sparse",), learned=True)
    assert library.renamed(info, "regression-mylab").family == "mylab"
    assert library.renamed(info, "friday-run").family == "friday-run"


def test_cuda_is_refused_where_there_is_none(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(RequestError, match="device cuda: no CUDA GPU can be used"):
        library.load(library.resolve("regression", "sparse"), "cuda")
    assert str(library.load(library.resolve("regression", "sparse"), "auto")[0].device) == "cpu"  # type: ignore[attr-defined]
