"""Many small scans at once: the same results as one by one, one failure stops nothing, cancelled when asked."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stmviewer.restore import Restoration, RestoreRequest
from stmviewer.restore.learned import LearnedRestorer
from stmviewer.restore.pipeline import restore
from stmviewer.restore.together import MOST_SCANS, _Meeting, restore_together
from stmviewer.scan import Cancelled, Progress, RequestError, Scan
from stmviewer.scan.progress import Advance

SHAPES = [(64, 64), (64, 64), (48, 64), (64, 64)]


@pytest.fixture
def scans(make_scan: Callable[..., Scan]) -> list[Scan]:
    rng = np.random.default_rng(0)
    return [make_scan(1e-10 * rng.normal(size=shape).cumsum(axis=1), unit="m") for shape in SHAPES]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images went through a network at once, each time."""
    sizes: list[int] = []
    whole = LearnedRestorer.restore_together

    def counted(self, problems, options, progress):  # type: ignore[no-untyped-def]
        sizes.append(len(problems))
        return whole(self, problems, options, progress)

    monkeypatch.setattr(LearnedRestorer, "restore_together", counted)
    return sizes


@pytest.mark.parametrize(
    "request_",
    [
        RestoreRequest(model="regression-tiny", check=False),
        RestoreRequest(model="flow-tiny", steps=2, samples=2, seed=3, check=False),
        RestoreRequest(task="sparse", mask="lines:4", model="auto"),
        RestoreRequest(task="sparse", mask="pixels:0.3", model="regression-tiny"),
    ],
    ids=lambda r: f"{r.task} {r.model} {r.mask}",
)
def test_results_are_those_of_each_scan_alone(
    request_: RestoreRequest, scans: list[Scan], tiny_models: Path, batches: list[int]
) -> None:
    alone = [restore(scan, request_, Progress()) for scan in scans]
    batches.clear()
    together = restore_together(scans, request_, Progress())
    assert max(batches) == 3  # those of one shape
    for a, b in zip(alone, together, strict=True):
        assert isinstance(b, Restoration)
        span = float(np.ptp(a.mean))
        assert np.abs(a.mean - b.mean).max() < 1e-5 * span
        assert (a.deviation is None) == (b.deviation is None)
        if a.deviation is not None and b.deviation is not None:
            assert np.abs(a.deviation - b.deviation).max() < 1e-5 * span
        kept = {k: v for k, v in a.provenance.items() if k in ("model", "device", "precision", "file", "mask")}
        assert kept == {k: b.provenance[k] for k in kept}
        assert [m["name"] for m in a.provenance["methods"]] == [m["name"] for m in b.provenance["methods"]]


def test_more_scans_than_go_at_once(make_scan: Callable[..., Scan], tiny_models: Path, batches: list[int]) -> None:
    many = [make_scan(rows=32, columns=32) for _ in range(MOST_SCANS + 5)]
    fractions: list[float] = []

    def report(advance: Advance) -> None:
        fractions.append(advance.fraction)

    request = RestoreRequest(model="regression-tiny", check=False)
    results = restore_together(many, request, Progress(report))
    assert all(isinstance(r, Restoration) for r in results)
    assert sum(batches) == len(many)
    assert max(batches) <= MOST_SCANS
    assert len(batches) < len(many) / 2
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_one_that_fails_stops_no_other(scans: list[Scan], make_scan: Callable[..., Scan], tiny_models: Path) -> None:
    flat = make_scan(np.ones((64, 64)))
    results = restore_together([scans[0], flat, scans[1]], RestoreRequest(model="regression-tiny"), Progress())
    assert isinstance(results[1], RequestError)
    assert "constant" in str(results[1])
    assert isinstance(results[0], Restoration) and isinstance(results[2], Restoration)


def test_a_fault_of_one_image_is_that_of_its_scan_alone(
    scans: list[Scan], tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = LearnedRestorer.restore_together
    odd = scans[1].channel().data

    def fails(self, problems, options, progress):  # type: ignore[no-untyped-def]
        images = [p.image for p in problems]
        if any(abs(np.corrcoef(i[0], odd[0])[0, 1]) > 0.999 for i in images if i.shape == odd.shape):
            raise ValueError("a fault")
        return whole(self, problems, options, progress)

    monkeypatch.setattr(LearnedRestorer, "restore_together", fails)
    monkeypatch.setattr("stmviewer.restore.running.normalisation", plain)
    results = restore_together(scans, RestoreRequest(model="regression-tiny", check=False), Progress())
    assert [isinstance(r, ValueError) for r in results] == [False, True, False, False]


def plain(filled: np.ndarray, measured: np.ndarray):  # type: ignore[no-untyped-def]
    from stmviewer.restore.normalise import Normalisation
    from stmviewer.scan.levelling import Plane

    return Normalisation(np.zeros_like(filled), 1e-10, Plane((filled.shape[0], filled.shape[1])))


def test_nothing_is_nothing(tiny_models: Path) -> None:
    assert restore_together([], RestoreRequest(model="regression-tiny"), Progress()) == []


def test_it_is_cancelled_between_batches_and_leaves_no_thread(
    scans: list[Scan], tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    whole = LearnedRestorer.restore_together

    def stopping(self, problems, options, progress):  # type: ignore[no-untyped-def]
        stop.set()
        return whole(self, problems, options, progress)

    monkeypatch.setattr(LearnedRestorer, "restore_together", stopping)
    with pytest.raises(Cancelled):
        restore_together(scans, RestoreRequest(model="regression-tiny"), Progress(stop=stop))
    assert not [t for t in threading.enumerate() if t.name.startswith("stmviewer-together")]


def test_cancelled_while_a_batch_is_chosen_it_leaves_nobody_waiting(
    scans: list[Scan], tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    chosen = _Meeting._largest_group

    def choosing(self: _Meeting):  # type: ignore[no-untyped-def]
        group = chosen(self)
        stop.set()  # after it left the line, before it is answered
        return group

    monkeypatch.setattr(_Meeting, "_largest_group", choosing)
    with pytest.raises(Cancelled):
        restore_together(scans, RestoreRequest(model="regression-tiny"), Progress(stop=stop))
    assert not [t for t in threading.enumerate() if t.name.startswith("stmviewer-together")]


def test_where_not_every_thread_can_be_started_those_that_wait_are_told(
    scans: list[Scan], tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    submit, asking = ThreadPoolExecutor.submit, threading.Event()
    ask = _Meeting.ask

    def asked(self: _Meeting, question):  # type: ignore[no-untyped-def]
        asking.set()
        return ask(self, question)

    def refused(self: ThreadPoolExecutor, *work):  # type: ignore[no-untyped-def]
        if len(self._threads) == 2:
            assert asking.wait(60)  # one of the two is where it waits
            raise RuntimeError("can't start new thread")
        return submit(self, *work)

    monkeypatch.setattr(_Meeting, "ask", asked)
    monkeypatch.setattr(ThreadPoolExecutor, "submit", refused)
    with pytest.raises(RuntimeError, match="can't start"):
        restore_together(scans, RestoreRequest(model="regression-tiny"), Progress())
    assert not [t for t in threading.enumerate() if t.name.startswith("stmviewer-together")]


def test_interrupted_while_a_batch_is_answered_it_leaves_nobody_waiting(
    scans: list[Scan], tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LearnedRestorer, "restore_together", interrupted)
    with pytest.raises(KeyboardInterrupt):
        restore_together(scans, RestoreRequest(model="regression-tiny"), Progress())
    assert not [t for t in threading.enumerate() if t.name.startswith("stmviewer-together")]
