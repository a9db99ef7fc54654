"""`stmviewer evaluate --report`: files, stopping and going on, comparing two of them."""

import json
import os

import pytest

from stmviewer.evaluate import clip_weights, spaces
from stmviewer.evaluate.embedding import embed
from stmviewer.scan import Cancelled, Progress

from . import scans


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch):
    monkeypatch.delenv(clip_weights.VARIABLE, raising=False)


@pytest.fixture
def good(tmp_path):
    for k in range(3):
        scans.write(tmp_path / "good" / f"place{k}_1.gwy", scans.lattice(48, 48, seed=k))
    return tmp_path / "good"


WORDS = ("--models", "cubic,row-median", "--tasks", "repair,lines:2", "--device", "cpu")


def test_the_report_with_everything_beside_it(run, good, tmp_path):
    out = tmp_path / "new" / "out.html"
    text = run("evaluate", "--pristine", good, *WORDS, "--report", out, "--json", tmp_path / "out.json").done().out
    assert "Repair" in text
    assert "row-median" in text
    written = [line.removeprefix("written: ") for line in text.splitlines() if line.startswith("written: ")]
    assert written == [str(p) for p in (out, out.with_suffix(".pdf"), out.with_suffix(".csv"), tmp_path / "out.json")]
    assert out.read_text().startswith("<!DOCTYPE html>")
    assert out.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert len(out.with_suffix(".csv").read_text().splitlines()) == 1 + 3 * 4
    facts = json.loads((tmp_path / "out.json").read_text())
    assert facts["format"] == "stmviewer-report-1"
    assert {d["space"] for d in facts["distances"]} == {"efficientnet"}  # 48 pixels are too few for the judge of tips
    assert sorted(p.name for p in out.parent.iterdir()) == ["out.csv", "out.html", "out.pdf"]  # no work file is left


def test_degraded_scans_without_a_report_are_told_on_the_terminal(run, good, tmp_path):
    bad = scans.write(tmp_path / "bad" / "x_1.gwy", scans.lattice(48, 48, seed=9)).parent
    scans.write(bad / "y_1.gwy", scans.lattice(48, 48, seed=8))
    words = ["--degraded", bad, "--models", "row-median", "--tasks", "repair"]
    text = run("evaluate", "--pristine", good, *words).done().out
    assert "no truth known" in text
    assert "EfficientNet-Lite0 MMD" in text
    assert "CMMD is not computed" in text
    facts = run("evaluate", "--pristine", good, *words, "--json").done().json
    assert facts["paired"] == []


def test_stopped_it_goes_on(run, good, tmp_path, monkeypatch):
    out = tmp_path / "out.html"
    command = ("evaluate", "--pristine", good, *WORDS, "--report", out)
    from stmviewer.evaluate.study import run as running

    real, count = running._one, []

    def stop(*arguments):
        count.append(1)
        if len(count) == 8:
            raise Cancelled
        return real(*arguments)

    monkeypatch.setattr(running, "_one", stop)
    assert run(*command).code == 130
    assert not out.exists()
    assert out.with_name("out.html.work").is_file()
    count.clear()
    monkeypatch.setattr(running, "_one", lambda *a: count.append(1) or real(*a))
    run(*command).done()
    assert len(count) == 3 + 3 * 4 - 7
    assert out.is_file()
    assert not out.with_name("out.html.work").exists()


def test_two_reports_beside_each_other(run, good, tmp_path):
    study = ("evaluate", "--pristine", good, "--models", "cubic", "--tasks", "lines:2", "--device", "cpu")
    for name in ("a", "b"):
        run(*study, "--report", tmp_path / f"{name}.pdf", "--json", tmp_path / f"{name}.json").done()
    assert not (tmp_path / "a.html").exists()
    pair = ("evaluate", "--compare-reports", tmp_path / "a.json", tmp_path / "b.json")
    text = run(*pair, "--report", tmp_path / "c.html").done().out
    assert text.startswith("a beside b")
    assert "the same" in text
    assert "worse" not in [line.rpartition("| ")[2] for line in text.splitlines() if "SSIM" in line]
    assert "a beside b" in (tmp_path / "c.html").read_text()
    changes = run(*pair, "--json").done().json["changes"]
    assert {c["verdict"] for c in changes if c["measure"] == "ssim"} == {"the same"}


def test_cmmd_where_its_weights_are(run, good, tmp_path, monkeypatch):
    """The encoder is replaced; what is tested is that it is asked, named and told of."""
    file = tmp_path / "w.safetensors"
    file.write_bytes(b"stands for weights")

    class Stand:
        path, sha256, weights = file, "ab" * 32, clip_weights.ClipWeights(file, "ab" * 32, False)

        def __init__(self, *_):
            pass

        def embed(self, image):
            return embed([image], ["0"], Progress()).features[0]

    monkeypatch.setattr("stmviewer.evaluate.study.caveats.Embedder", Stand)
    text = run("evaluate", "--pristine", good, *WORDS, "--clip", file, "--report", tmp_path / "o.html").done().out
    assert "| CMMD, unbiased |" in text
    assert "not known to be those of openai/clip-vit-large-patch14-336" in text
    assert "CMMD is not computed" not in text
    assert spaces.clip_space(Stand()).biased


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--benchmark", "--report", "x.html"], ["--pristine"]),
        (["--compare-reports", "a.json", "b.json"], ["a.json", "cannot be read"]),
        (["--compare-reports", "a.json"], ["--compare-reports"]),
        (["--pristine", "gone", "--report", "x.html"], ["gone", "no such folder"]),
        (["--pristine", "gone", "--report", "x.txt"], ["x.txt"]),
        (["--pristine", "gone", "--report", "x.html", "--steps", "a,b"], ["--steps"]),
        (["--pristine", "gone", "--report", "x.html", "--preset", "nope"], ["nope"]),
    ],
)
def test_what_cannot_be_reported(run, words, parts, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run("evaluate", *words).refused(*parts)


def test_where_nothing_can_be_written_nothing_is_begun(run, good, tmp_path):
    (tmp_path / "dir.html").mkdir()
    run("evaluate", "--pristine", good, *WORDS, "--report", tmp_path / "dir.html").refused("is a folder")
    if os.name == "posix":
        (tmp_path / "file").write_text("")
        run("evaluate", "--pristine", good, *WORDS, "--report", tmp_path / "file" / "o.html").refused("file")
