from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QTextBrowser
from pytestqt.qtbot import QtBot

from stmviewer.gui.controls import Controls
from stmviewer.restore import RestoreRequest
from stmviewer.scan import RequestError

from .bench import MODELS


@pytest.fixture
def controls(qtbot: QtBot) -> Iterator[Controls]:
    panel = Controls()
    qtbot.addWidget(panel)
    panel.set_models(MODELS)
    panel.show()
    yield panel


@pytest.mark.parametrize(
    "request_",
    [
        RestoreRequest("repair", model="regression-sim", align_rows=True),
        RestoreRequest("repair", model="regression-sim", tips=True),
        RestoreRequest("repair", model="flow-sim", steps=16, samples=5, seed=3, device="cpu"),
        RestoreRequest("sparse", model="linear", mask="lines:4"),
        RestoreRequest("sparse", model="flow-sim", mask="spiral:0.2", trust="consistent", steps=1),
        RestoreRequest("sparse", model="regression-sim", mask="file"),
    ],
)
def test_what_is_set_is_what_is_asked(controls: Controls, request_: RestoreRequest) -> None:
    controls.show_request(request_)
    assert controls.request() == request_


def test_a_request_can_be_shown_before_the_models_are_known(qtbot: QtBot) -> None:
    panel = Controls()
    qtbot.addWidget(panel)
    panel.show_request(RestoreRequest("sparse", model="flow", mask="lines:2", steps=4))
    with pytest.raises(RequestError):
        panel.request()
    panel.set_models(MODELS)
    assert panel.request() == RestoreRequest("sparse", model="flow-sim", mask="lines:2", steps=4)


def test_only_models_that_can_do_the_task_are_offered(controls: Controls) -> None:
    names = [controls.model.box.itemText(k) for k in range(controls.model.box.count())]
    assert names == ["Network · any surface", "Texture network · simulated"]
    tips = [controls.model.box.itemData(k, Qt.ItemDataRole.ToolTipRole) for k in range(2)]
    assert "(regression-sim, " in tips[0] and "(flow-sim, " in tips[1]
    controls.sparse.setChecked(True)
    assert controls.model.box.findData("linear") >= 0
    assert controls.model._summary.text() == 'Fast, one answer <a href="card">Card</a>'


def test_the_card_of_a_model_is_one_click_away(controls: Controls) -> None:
    controls.model._summary.linkActivated.emit("card")
    (card,) = controls.model.findChildren(QDialog)
    text = card.findChild(QTextBrowser)
    assert isinstance(text, QTextBrowser) and "Trained on" in text.toPlainText()
    assert card.isVisible() and "regression-sim" in card.windowTitle()
    card.close()
    controls.sparse.setChecked(True)
    controls.model.box.setCurrentIndex(controls.model.box.findData("linear"))
    assert controls.model._summary.text() == "Interpolation, the baseline" and controls.model.show_card() is None


def test_the_model_of_each_task_is_kept(controls: Controls) -> None:
    controls.sparse.setChecked(True)
    controls.model.box.setCurrentIndex(controls.model.box.findData("linear"))
    controls.repair.setChecked(True)
    assert controls.request().model == "regression-sim"
    controls.sparse.setChecked(True)
    assert controls.request().model == "linear"


def test_steps_and_samples_are_shown_for_models_that_have_them(controls: Controls) -> None:
    assert not controls.model.steps.isVisible()
    assert not controls.samples.isVisible()
    controls.model.box.setCurrentIndex(controls.model.box.findData("flow-sim"))
    assert controls.model.steps.isVisible()
    assert [controls.model.steps.itemData(k) for k in range(4)] == [None, 1, 4, 16]
    assert controls.samples.isVisible()
    assert controls.device_box.isVisible()


def test_a_pattern_of_ones_own_is_checked_while_it_is_typed(controls: Controls) -> None:
    controls.sparse.setChecked(True)
    controls.mask_box.setCurrentIndex(controls.mask_box.findData("custom"))
    assert controls.custom.isVisible()
    assert not controls.invalid.isVisible()  # nothing typed yet is no mistake
    with pytest.raises(RequestError, match="write a pattern"):
        controls.request()
    controls.custom.setText("lines:2.5")
    assert controls.invalid.isVisible()
    assert "whole number" in controls.invalid.text()
    with pytest.raises(RequestError):
        controls.request()
    controls.custom.setText("lines:3")
    assert not controls.invalid.isVisible()
    assert controls.request().mask == "lines:3"


def test_the_gaps_of_a_file_without_gaps_cannot_be_chosen(controls: Controls) -> None:
    controls.show_request(RestoreRequest("sparse", model="linear", mask="file"))
    controls.set_file_mask(False)
    assert controls.pattern() == "lines:4"
    item = controls.mask_box.model().item(controls.mask_box.findData("file"))  # type: ignore[attr-defined]
    assert not item.isEnabled()
    controls.set_file_mask(True)
    assert item.isEnabled()


def test_one_request_is_one_change(controls: Controls) -> None:
    changes: list[int] = []
    controls.changed.connect(lambda: changes.append(1))
    controls.show_request(RestoreRequest("sparse", model="flow-sim", mask="grid:2", samples=3, seed=9))
    assert len(changes) == 1
    controls.seed.setValue(10)
    assert len(changes) == 2
