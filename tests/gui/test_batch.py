"""The batch of the window: queue, pause, cancel, retry, table, command."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from stmviewer.gui.batch.dialog import BatchDialog
from stmviewer.gui.batch.queue import Phase, Queue, Status
from stmviewer.gui.window import MainWindow
from stmviewer.scan import RequestError
from stmviewer.services import events
from stmviewer.services.batch import BatchItem, BatchPlan, Outcome
from stmviewer.services.jobs import Context, Job

from .bench import Bench, settled

Opener = Callable[..., MainWindow]
FACTS = {"residual_rms": 2e-12, "unit": "m", "scores": [], "warnings": [], "channel": "Z forward", "model": "linear"}


class Works:
    """Restores files of a batch as told: bad ones fail, and all wait at the gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.plans: list[tuple[str, BatchPlan]] = []
        self.bad: set[str] = set()
        self.together = 1

    def job(self, items: Sequence[BatchItem], plan: BatchPlan) -> Job:
        group = items[: self.together]

        def job(context: Context) -> None:
            context.emit(events.Part(group))
            self.plans += [(item.path.name, plan) for item in group]
            while not self.gate.wait(0.005):
                context.progress.check()
            for item in group:
                context.emit(events.Part(self.outcome(item, plan)))

        return job

    def outcome(self, item: BatchItem, plan: BatchPlan) -> Outcome:
        if item.path.name in self.bad:
            # errors begin with the path of the file or with its name
            which = item.path if item.path.name == "a.npy" else item.path.name
            return Outcome(item, None, f"{which}: it is broken")
        return Outcome(item, {**FACTS, "file": str(item.path), "output": str(plan.output / item.path.name)})

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.plans]


@pytest.fixture
def works(bench: Bench) -> Iterator[Works]:
    made = Works()
    bench.services = replace(bench.services, restore_next_job=made.job)
    yield made
    made.gate.set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scans"
    (made / "deep").mkdir(parents=True)
    for k, name in enumerate(("a.npy", "b.npy", "deep/c.npy")):
        np.save(made / name, np.random.default_rng(k).normal(size=(16, 16)))
    return made


@pytest.fixture
def dialog(works: Works, folder: Path, open_window: Opener, qtbot: QtBot) -> BatchDialog:
    window = open_window()
    window.menus.actions["batch"].trigger()
    opened = window.batch.dialog
    assert opened is not None and opened.empty.isVisible() and not opened.start.isEnabled()
    opened.add([folder])
    qtbot.waitUntil(lambda: len(opened.runner.queue.rows) == 3)
    settled(qtbot, window)
    return opened


def statuses(dialog: BatchDialog) -> list[Status]:
    return [row.status for row in dialog.runner.queue.rows]


def test_a_batch_runs_with_the_settings_shown(dialog: BatchDialog, works: Works, folder: Path, qtbot: QtBot) -> None:
    window = dialog.parent()
    assert dialog.form.output.text() == str(folder / "restored")
    window.controls.sparse.setChecked(True)  # they are followed until it starts
    dialog.form.format.setCurrentIndex(dialog.form.format.findData("npz"))
    request = window.controls.request()
    assert dialog.form.command.text() == BatchPlan(request, folder / "restored", "npz").command([folder])
    dialog.form.copy_command.click()
    assert QApplication.clipboard().text() == dialog.form.command.text()
    dialog.start.click()
    qtbot.waitUntil(lambda: statuses(dialog) == [Status.DONE] * 3)
    assert works.names == ["a.npy", "b.npy", "c.npy"]
    assert {plan.request for _, plan in works.plans} == {request}
    assert dialog.status.text() == "3 of 3 done"
    assert dialog.table.index(2, 0).data() == "deep/c.npy" and dialog.table.index(0, 2).data() == "2 pm"
    assert window.batch.line.isVisible() and "3 of 3 done" in window.batch.line.text()


def test_one_failure_does_not_stop_the_rest_and_can_be_retried(
    dialog: BatchDialog, works: Works, folder: Path, qtbot: QtBot
) -> None:
    works.bad = {"a.npy", "c.npy"}
    dialog.start.click()
    qtbot.waitUntil(lambda: not dialog.runner.busy and works.names == ["a.npy", "b.npy", "c.npy"])
    assert statuses(dialog) == [Status.FAILED, Status.DONE, Status.FAILED]
    assert [dialog.table.index(row, 4).data() for row in (0, 2)] == ["it is broken"] * 2
    assert "2 failed" in dialog.status.text()
    dialog.save_table(folder / "table.csv")
    assert (folder / "table.csv").read_text().splitlines()[1].split(",")[1] == "failed"
    works.bad = set()
    dialog.retry.click()
    qtbot.waitUntil(lambda: statuses(dialog) == [Status.DONE] * 3)
    assert works.names[3:] == ["a.npy", "c.npy"]


def test_pause_resume_and_cancel(dialog: BatchDialog, works: Works, qtbot: QtBot) -> None:
    works.gate.clear()
    dialog.start.click()
    qtbot.waitUntil(lambda: works.names == ["a.npy"])
    dialog.pause.click()
    assert dialog.status.text() == "Pauses after this file"
    works.gate.set()
    qtbot.waitUntil(lambda: statuses(dialog)[0] is Status.DONE)
    settled(qtbot, dialog.parent())
    assert works.names == ["a.npy"] and "2 of 3 wait" in dialog.status.text()
    works.gate.clear()
    dialog.pause.click()
    qtbot.waitUntil(lambda: works.names == ["a.npy", "b.npy"])
    dialog.cancel.click()
    qtbot.waitUntil(lambda: not dialog.runner.busy)
    assert statuses(dialog) == [Status.DONE, Status.CANCELLED, Status.CANCELLED]
    assert dialog.status.text() == "1 of 3 done, 2 cancelled"


def test_small_scans_that_go_together(dialog: BatchDialog, works: Works, qtbot: QtBot) -> None:
    works.together, works.bad = 2, {"b.npy"}
    works.gate.clear()
    dialog.start.click()
    qtbot.waitUntil(lambda: statuses(dialog) == [Status.RUNNING, Status.RUNNING, Status.WAITING])
    assert dialog.status.text() == "1 to 2 of 3"
    dialog.pause.click()
    assert dialog.status.text() == "Pauses after these 2 files"
    works.gate.set()
    qtbot.waitUntil(lambda: statuses(dialog) == [Status.DONE, Status.FAILED, Status.WAITING])
    settled(qtbot, dialog.parent())
    assert works.names == ["a.npy", "b.npy"]
    works.gate.clear()
    dialog.pause.click()
    qtbot.waitUntil(lambda: statuses(dialog)[2] is Status.RUNNING)
    dialog.cancel.click()
    qtbot.waitUntil(lambda: statuses(dialog) == [Status.DONE, Status.FAILED, Status.CANCELLED])
    assert not dialog.runner.busy


def test_a_job_that_tells_nothing_does_not_go_on_for_ever(dialog: BatchDialog, works: Works, qtbot: QtBot) -> None:
    works.together = 0
    dialog.start.click()
    qtbot.waitUntil(lambda: statuses(dialog) == [Status.FAILED] * 3)
    assert dialog.table.index(0, 4).data() == "nothing came of it" and not dialog.runner.busy


def test_a_scan_of_the_window_has_its_turn_between(
    dialog: BatchDialog, works: Works, bench: Bench, qtbot: QtBot
) -> None:
    window = dialog.parent()
    window.open_paths([bench.add("scan.sxm")])
    settled(qtbot, window)
    works.gate.clear()
    dialog.start.click()
    qtbot.waitUntil(lambda: works.names == ["a.npy"])
    window.restore()
    works.gate.set()
    qtbot.waitUntil(lambda: not dialog.runner.busy and window.session.restored is not None)
    assert len(works.names) == 3


def test_files_can_be_taken_out_and_the_command_says_so(dialog: BatchDialog, folder: Path) -> None:
    dialog.view.selectRow(1)
    dialog.remove.click()
    assert dialog.form.command.text().startswith(f"stmviewer restore {folder / 'a.npy'} {folder / 'deep' / 'c.npy'}")
    dialog.clear.click()
    assert not dialog.runner.queue.rows and dialog.empty.isVisible()


def test_what_cannot_begin_is_said(dialog: BatchDialog, works: Works, folder: Path, qtbot: QtBot) -> None:
    dialog.form.output.setText("")
    dialog.form.output.textEdited.emit("")
    assert not dialog.start.isEnabled() and dialog.status.text() == "Choose a folder for the results"
    dialog.form.output.setText(str(folder / "a.npy"))
    dialog.refresh()
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog.messages.message("error") is not None)
    assert "is a file, not a folder" in dialog.messages.message("error").text
    assert not works.names
    dialog.form.output.setText("")
    with pytest.raises(RequestError, match="choose a folder"):
        dialog.form.plan()


def test_closing_with_a_batch_under_way_asks_once(
    dialog: BatchDialog, works: Works, qtbot: QtBot, closing_is_answered: list[list[str]]
) -> None:
    window = dialog.parent()
    works.gate.clear()
    dialog.start.click()
    qtbot.waitUntil(lambda: works.names == ["a.npy"])
    dialog.close()  # the batch goes on without its dialog
    qtbot.waitUntil(lambda: window.batch.dialog is None)
    assert window.batch.runner.busy
    window.close()
    assert closing_is_answered == [["a batch with 3 files to go"]]
    assert not window.isVisible() and window.ended_cleanly


def test_closing_can_be_thought_better_of(
    bench: Bench, open_window: Opener, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stmviewer.gui import dialogs

    window = open_window(bench.add("scan.sxm"))
    bench.restorer.gate.clear()
    window.restore()
    monkeypatch.setattr(dialogs, "ask_stop", lambda *_: False)
    window.close()
    assert window.isVisible() and window.session.run.busy
    bench.restorer.gate.set()
    qtbot.waitUntil(lambda: not window.session.run.busy)


def test_the_queue_guesses_what_is_left() -> None:
    items = [BatchItem(Path(name)) for name in "abcd"]
    queue = Queue().added(items).added(items[:1]).started()
    assert len(queue.rows) == 4 and queue.eta_s is None and queue.text == "1 of 4"
    queue = queue.began(items[:1]).ended(Outcome(items[0], FACTS), 10.0).began(items[1:2]).advanced(0.5)
    assert queue.eta_s == pytest.approx(25) and queue.fraction == pytest.approx(1.5 / 4)
    assert queue.text == "2 of 4, about 25 s left"
    queue = queue.cancel_asked()
    assert queue.phase is Phase.CANCELLING and queue.stopped().phase is Phase.IDLE
    assert queue.stopped().retried().count(Status.WAITING) == 3
