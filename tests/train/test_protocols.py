"""No list of images to train on may name one of the sessions that models are judged by."""

import re
from pathlib import Path

import pytest

from stmviewer.cli.train import read_protocol

ROOT = Path(__file__).parents[2]
SESSION = re.compile(r"\d{4}[A-Z][a-z]{2}\d{2}-\d{6}")


def validation_sessions(data: Path) -> set[str]:
    sessions = set((data / "si100h" / "validation_sessions.txt").read_text(encoding="utf-8").split())
    assert len(sessions) == 3
    return sessions


@pytest.mark.real_data
def test_the_protocol_of_36_images_touches_no_validation_session(real_data):
    names = read_protocol(real_data / "si100h" / "protocol36.txt")
    assert len(set(names)) == len(names) == 36
    for name in names:
        assert (real_data / "si100h" / name).is_file()
        assert name.startswith("pristine/")
    assert all(SESSION.search(name) for name in names)
    assert not {SESSION.search(name)[0] for name in names} & validation_sessions(real_data)  # type: ignore[index]


@pytest.mark.real_data
def test_no_training_list_of_the_project_touches_a_validation_session(real_data):
    forbidden = validation_sessions(real_data)
    folders = ("models", "resources", "stmviewer", "installer")
    lists = [
        p for f in folders for p in (ROOT / f).rglob("*") if p.suffix in (".txt", ".csv", ".json", ".jsonl", ".md")
    ]
    for path in lists:
        found = set(SESSION.findall(path.read_text(encoding="utf-8", errors="replace")))
        assert not found & forbidden, f"{path} names images of a validation session"


@pytest.mark.real_data
def test_the_benchmark_judges_by_the_validation_sessions_alone(real_data):
    from stmviewer.evaluate import sets

    found = [cases for name, cases in sets.real(real_data, 9).items() if "H:Si(100)" in name]
    assert len(found) == 4
    for cases in found:
        assert len(cases) == 9
        assert {case.group for case in cases} == validation_sessions(real_data)


@pytest.mark.real_data
def test_nothing_is_trained_on_a_validation_session_whatever_list_is_given(real_data):
    """The folder of the protocol itself, without a list, and lists that name such an image."""
    from stmviewer.scan import Progress
    from stmviewer.train.folder import read_folder

    forbidden, folder = validation_sessions(real_data), real_data / "si100h"
    names = read_protocol(folder / "protocol36.txt")
    bad = [next((folder / "pristine").glob(f"{session}_*")).relative_to(folder).as_posix() for session in forbidden]
    found = read_folder(folder, 96, [*names, *bad], Progress(), training=True)
    assert {p.relative_to(folder).as_posix() for p in found.paths} == set(names)
    assert {r.path.relative_to(folder).as_posix() for r in found.rejected} == set(bad)


@pytest.mark.real_data
def test_the_protocol_is_scored_on_the_validation_sessions_alone(real_data, monkeypatch):
    from stmviewer.evaluate import protocol36
    from stmviewer.evaluate.study import sources
    from stmviewer.scan import Progress

    seen = []
    real = sources._read

    def noted(file, folder, good):
        seen.append((folder.name, file.name))
        return real(file, folder, good)

    monkeypatch.setattr(sources, "_read", noted)
    found = protocol36.run(real_data, ["linear", "row-median"], ["lines:4"], 3, Progress())
    forbidden = validation_sessions(real_data)
    assert set(found.sessions) == forbidden
    assert {name.split("_")[0] for _, name in seen} <= forbidden
    assert {role for role, _ in seen} == {"good", "degraded"}
    assert [s.model for s in found.scores] == ["linear"] * 4
    assert all("H:Si(100)" in s.set and s.images == 3 and 0 < s.ssim_hidden < 1 for s in found.scores)
    repaired = {d.method for d in found.study.distances if d.task == "repair"}
    assert repaired == {"input", "row-median"}
    text = protocol36.table(found)
    assert "| real H:Si(100) fine | linear |" in text
    assert "| row-median |" in text
    for session in forbidden:
        assert session in text
