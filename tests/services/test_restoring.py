"""The jobs that window and batch run."""

import numpy as np
import pytest

from stmviewer.restore import Restoration, RestoreRequest
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Channel, Geometry, Progress, Scan
from stmviewer.services import events
from stmviewer.services.jobs import Context, JobRunner
from stmviewer.services.restoring import available_models, device_job, restore_job


@pytest.fixture
def scan() -> Scan:
    data = 1e-10 * np.random.default_rng(0).random((40, 40))
    return Scan([Channel("Z", "m", data)], Geometry(40, 40, 4e-9, 4e-9))


def test_the_job_gives_what_the_pipeline_gives(scan: Scan) -> None:
    request = RestoreRequest(task="sparse", mask="lines:4", model="cubic")
    runner = JobRunner("restoring")
    runner.submit("Restoring", restore_job(scan, request))
    seen = [event for _, event in runner.wait()]
    runner.close()
    assert seen[0] == events.Started("Restoring")
    assert isinstance(seen[-1], events.Finished)
    result = seen[-1].result
    assert isinstance(result, Restoration)
    assert result.request == request
    assert np.array_equal(result.mean, restore(scan, request, Progress()).mean)
    assert "Loading the model" in [e.step for e in seen if isinstance(e, events.Advanced)]


def test_a_request_that_cannot_be_met_fails_without_a_traceback(scan: Scan) -> None:
    runner = JobRunner("restoring")
    runner.submit("Restoring", restore_job(scan, RestoreRequest(channel="Phase", model="tv")))
    *_, (_, last) = runner.wait()
    runner.close()
    assert isinstance(last, events.Failed)
    assert "has no channel 'Phase'" in last.message
    assert last.details == ""


def test_every_task_has_a_model() -> None:
    infos = available_models()
    assert {task for info in infos for task in info.tasks} == {"repair", "sparse"}
    assert len({info.name for info in infos}) == len(infos)
    assert infos[0].name == "auto"
    learned = [info.learned for info in infos[1:]]
    assert learned == sorted(learned, reverse=True)  # learned ones first


def test_the_device_is_said_in_words() -> None:
    text = device_job()(Context(Progress(), lambda _: None))
    assert "threads" in text or "GB free" in text
