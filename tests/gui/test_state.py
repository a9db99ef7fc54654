import pytest

from stmviewer.gui.state import Phase, Run, look
from stmviewer.services import events


def run_of(*happened: events.Event) -> Run:
    run = Run().submitted()
    for event in happened:
        run = run.after(event)
    return run


def test_a_run_from_start_to_end() -> None:
    run = run_of(events.Started("Restoration"))
    assert run.phase is Phase.RUNNING
    run = run.after(events.Advanced(0.5, "Sampling", 12.0))
    shown = look(run)
    assert (shown.button, shown.enabled, shown.cancels, shown.progress) == ("Cancel", True, True, 0.5)
    assert shown.status == "Sampling · about 12 s left"
    assert shown.locked
    done = run.after(events.Finished(None))
    assert done.phase is Phase.DONE
    shown = look(done)
    assert (shown.button, shown.enabled, shown.cancels, shown.progress) == ("Restore", True, False, None)
    assert not shown.locked


def test_cancelling_is_shown_until_the_job_has_stopped() -> None:
    run = run_of(events.Started("Restoration")).cancel_asked()
    late = run.after(events.Advanced(0.7, "Sampling", 3.0))
    assert late.phase is Phase.CANCELLING
    shown = look(late)
    assert not shown.enabled
    assert "left" not in shown.status
    stopped = late.after(events.Cancelled())
    assert stopped.phase is Phase.IDLE
    assert look(stopped).status == "Cancelled"


def test_a_job_that_finishes_before_it_can_be_cancelled_is_done() -> None:
    assert run_of(events.Started("")).cancel_asked().after(events.Finished(None)).phase is Phase.DONE


def test_a_failure_leaves_the_button_ready() -> None:
    run = run_of(events.Started(""), events.Failed("out of memory"))
    assert run.phase is Phase.FAILED
    assert look(run).enabled
    assert not run.busy


def test_only_a_busy_run_can_be_cancelled() -> None:
    assert Run().cancel_asked() == Run()
    assert Run(Phase.DONE).cancel_asked().phase is Phase.DONE


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.DONE, Phase.FAILED])
def test_an_obstacle_disables_the_button_and_says_why(phase: Phase) -> None:
    shown = look(Run(phase), "Open a scan first")
    assert not shown.enabled
    assert shown.reason == "Open a scan first"


def test_an_obstacle_does_not_keep_from_cancelling() -> None:
    assert look(Run(Phase.RUNNING), "whatever").enabled


def test_a_step_without_a_name_keeps_the_last_one() -> None:
    run = run_of(events.Advanced(0.1, "Loading the model", None), events.Advanced(0.2, "", None))
    assert look(run).status == "Loading the model"
