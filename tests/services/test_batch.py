import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import save_scan
from stmviewer.restore import RestoreRequest
from stmviewer.scan import Cancelled, Channel, FileError, Geometry, Progress, RequestError, Scan
from stmviewer.services import batch, events
from stmviewer.services.batch import (
    COLUMNS,
    Batch,
    BatchItem,
    BatchPlan,
    collected,
    restore_next_job,
    table_csv,
    table_row,
)
from stmviewer.services.jobs import JobRunner

REQUEST = RestoreRequest(task="sparse", mask="lines:2", model="linear", check=False)


def save(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[0:24, 0:24]
    image = 1e-10 * np.sin(x / 3 + seed) * np.cos(y / 4)
    return save_scan(Scan([Channel("Z", "m", image)], Geometry(24, 24, 1e-8, 1e-8)), path)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for k, name in enumerate(("a.gwy", "b.gwy", "deep/a.gwy", "deep/er/c.gwy")):
        save(tmp_path / "scans" / name, k)
    (tmp_path / "scans" / "notes.doc").write_bytes(b"no scan")
    return tmp_path / "scans"


def names(items: list[BatchItem]) -> list[str]:
    return [str(item.below / item.path.name) for item in items]


def test_files_of_a_folder_with_and_without_those_below(tree: Path) -> None:
    assert names(collected([tree])[0]) == ["a.gwy", "b.gwy"]
    items, failures = collected([tree], recursive=True)
    assert names(items) == ["a.gwy", "b.gwy", "deep/a.gwy", "deep/er/c.gwy"] and not failures
    # what an earlier batch has made is not restored again
    assert names(collected([tree], recursive=True, output=tree / "deep")[0]) == ["a.gwy", "b.gwy"]
    # what is named twice is one
    assert names(collected([tree / "b.gwy", tree, tree / "deep" / ".." / "a.gwy"])[0]) == ["b.gwy", "a.gwy"]
    # several folders do not mix
    both, _ = collected([tree / "deep", tree / "deep" / "er"], recursive=True)
    assert names(both) == ["deep/a.gwy", "deep/er/c.gwy", "er/c.gwy"]


def test_what_is_missing_or_empty_is_an_outcome_of_its_own(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    items, failures = collected([tree / "gone.sxm", tree / "a.gwy", tmp_path / "empty"], recursive=True)
    assert names(items) == ["a.gwy"]
    assert "no such file" in failures[0].error and "neither the folder nor those below" in failures[1].error


def test_one_failure_stops_nothing_the_tree_is_kept_and_nothing_is_overwritten(tree: Path, tmp_path: Path) -> None:
    (tree / "deep" / "broken.gwy").write_bytes(b"GWYPrubbish")
    plan = BatchPlan(REQUEST, tmp_path / "out", "npz")
    items, _ = collected([tree], recursive=True)
    for _ in range(2):
        outcomes = list(Batch(plan).outcomes(items, lambda _: Progress()))
        assert [o.facts is None for o in outcomes] == [False, False, False, True, False]
    made = sorted(str(p.relative_to(plan.output)) for p in plan.output.rglob("*.npz"))
    end = "_Z-forward_sparse"
    stems = [f"a{end}", f"b{end}", f"deep/a{end}", f"deep/er/c{end}"]
    assert made == sorted(f"{stem}{again}.npz" for stem in stems for again in ("", "-2"))
    failed = outcomes[3]
    assert not failed.ours and str(failed.item.path) in failed.error
    assert failed.as_dict() == {"file": str(failed.item.path), "error": failed.error}
    assert outcomes[0].output == plan.output / "a_Z-forward_sparse-2.npz"


def test_the_command_does_the_same(tree: Path, tmp_path: Path) -> None:
    from stmviewer.cli import run

    out = tmp_path / "two words"
    command = BatchPlan(REQUEST, out, "npz").command([tree])
    assert command.startswith("stmviewer restore ") and "--recursive" in command
    import shlex

    assert run(shlex.split(command)[1:]) == 0
    made = sorted(str(p.relative_to(out)) for p in out.rglob("*.npz"))
    assert made == [f"{s}_Z-forward_sparse.npz" for s in ("a", "b", "deep/a", "deep/er/c")]
    assert "--recursive" not in BatchPlan(REQUEST, out).command([tree / "a.gwy"])


def test_a_plan_that_cannot_work_is_refused_before_the_first_file(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is a file, not a folder"):
        BatchPlan(REQUEST, tree / "a.gwy").check()
    with pytest.raises(RequestError, match="nosuch"):
        BatchPlan(REQUEST.replaced(model="nosuch"), tmp_path).check()


def test_the_table_has_scores_and_reasons(tree: Path, tmp_path: Path) -> None:
    (tree / "b.gwy").write_bytes(b"rubbish")
    items, _ = collected([tree])
    request = REQUEST.replaced(model="cubic")
    outcomes = list(Batch(BatchPlan(request, tmp_path / "out")).outcomes(items, lambda _: Progress()))
    rows = list(csv.DictReader(table_csv(outcomes).splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert [row["status"] for row in rows] == ["done", "failed"]
    assert 0.5 < float(rows[0]["ssim_hidden_linear"]) <= float(rows[0]["ssim_hidden"]) <= 1
    assert rows[0]["residual_rms"] == "0" and rows[0]["unit"] == "m"
    assert table_row(outcomes[1])["warnings"] == outcomes[1].error


def test_a_job_restores_one_file_and_can_be_stopped(tree: Path, tmp_path: Path) -> None:
    runner = JobRunner("batch")
    plan = BatchPlan(REQUEST, tmp_path / "out")
    try:
        items = [BatchItem(tree / "a.gwy", Path("below")), BatchItem(tree / "b.gwy")]
        runner.submit("Batch", restore_next_job(items, plan))
        begun, outcome = [e.value for _, e in runner.wait() if isinstance(e, events.Part)]
        assert begun == (items[0],)  # the other one is for the next job
        assert outcome.output == tmp_path / "out" / "below" / "a_Z-forward_sparse.gwy"
    finally:
        runner.close()
    assert not (tmp_path / "out" / "b_Z-forward_sparse.gwy").exists()
    stopped = Progress()
    stopped._root.stop.set()
    with pytest.raises(Cancelled):
        list(Batch(plan).outcomes([BatchItem(tree / "b.gwy")], lambda _: stopped))


def test_small_scans_of_a_network_go_together(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One job takes the small scans up to the first large one, tells what it could not open, and leaves the rest."""
    asked: list[list[str]] = []

    def together(scans: Sequence[Scan], request: RestoreRequest, _: Progress) -> list[Exception]:
        asked.append([scan.name for scan in scans])
        return [RequestError("not today")] * len(scans)

    monkeypatch.setattr(batch, "_SMALL", 10**6)
    monkeypatch.setattr("stmviewer.restore.together.restore_together", together)
    files = [tree / "a.gwy", tree / "b.gwy"]
    (tree / "0.gwy").write_bytes(b"rubbish")
    items = [BatchItem(file) for file in (tree / "0.gwy", *files)]
    runner = JobRunner("batch")
    try:
        plan = BatchPlan(RestoreRequest(task="sparse", mask="lines:2", model="auto"), tmp_path / "out")
        runner.submit("Batch", restore_next_job(items, plan))
        lost, begun, *outcomes = [e.value for _, e in runner.wait() if isinstance(e, events.Part)]
    finally:
        runner.close()
    assert lost.item is items[0] and "0.gwy" in lost.error
    assert begun == tuple(items[1:]) and asked == [["a.gwy", "b.gwy"]]
    assert [o.item for o in outcomes] == items[1:] and all("not today" in o.error for o in outcomes)
