import json

import numpy as np
import pytest
from PIL import Image

from stmviewer.simulate import Si001H


@pytest.fixture
def real(tmp_path):
    folder = tmp_path / "real"
    folder.mkdir()
    for k in range(4):
        rng = np.random.default_rng(k)
        z = Si001H(angle_deg=20 + 5 * k, tip_height_m=0.4e-9).make(64, 64, 0.04e-9, rng) + rng.normal(
            0, 3e-12, (64, 64)
        )
        z = (z - z.min()) / np.ptp(z) * 254
        Image.fromarray(np.rint(z).astype(np.uint8)).save(folder / f"{'ab'[k % 2]}_{k}.png")
    return folder


def test_a_report_of_how_like_real_images_they_are(run, real, tmp_path):
    outcome = run("simulate", "--compare", real, "-o", tmp_path / "out")
    text = outcome.done().out
    page = tmp_path / "out" / "si001h-realistic.html"
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert str(page) in text
    assert "4 real images of 2 sessions" in text
    assert "| real, other sessions | pristine | reference | mild | realistic | severe |" in text
    again = run("simulate", "--compare", real, "-o", tmp_path / "again.html", "--json").done().json
    assert again["report"] == str(tmp_path / "again.html")
    assert set(again["sets"]) == {"pristine", "reference", "mild", "realistic", "severe"}
    assert f"{again['sets']['mild']['total']:.2f}" in text


def test_sessions_from_a_list(run, real, tmp_path):
    names = tmp_path / "sessions.txt"
    names.write_text("a\n")
    words = ["simulate", "--compare", real, "--count", 1, "--json", "-o", tmp_path / "x.html"]
    left = run(*words, "--without", names).done().json["images"]
    only = run(*words, "--only", names).done().json["images"]
    assert [p[-7] for p in left] == ["b"]
    assert [p[-7] for p in only] == ["a"]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--surface", "cheese"], ["cheese", "si001h"]),
        (["--preset", "perfect"], ["perfect"]),
        (["--count", "0"], ["--count"]),
        (["--without", "nowhere.txt"], ["nowhere.txt", "list of sessions"]),
    ],
)
def test_what_cannot_be_compared(run, real, tmp_path, words, parts):
    run("simulate", "--compare", real, *words, "-o", tmp_path / "out").refused(*parts)
    assert not (tmp_path / "out").exists()


def test_folders_without_images(run, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    run("simulate", "--compare", tmp_path / "empty", "-o", tmp_path / "o").refused("empty", "holds no scan")
    run("simulate", "--compare", tmp_path / "none", "-o", tmp_path / "o").refused("none", "no such folder")
    run("simulate", "--compare", tmp_path / "notes.txt", "-o", tmp_path / "o").refused("no such folder")


def test_a_fit_leaves_out_the_sessions_to_judge_by(run, real, tmp_path):
    (tmp_path / "validation_sessions.txt").write_text("a\n")  # beside the folder
    outcome = run("simulate", "--fit", real, "--generations", 1, "--count", 2, "-o", tmp_path / "out")
    assert outcome.code == 0
    assert "left out, to judge by: a" in outcome.err
    facts = json.loads((tmp_path / "out" / "realistic.json").read_text())
    assert facts["images"] == ["b_1.png", "b_3.png"]
    assert {entry["name"] for entry in facts["entries"]} >= {"WhiteNoise", "SeveralTips"}
    assert f"{facts['distance_before']:.3f} before" in outcome.out


def test_one_thing_at_a_time(run, real, tmp_path):
    run("simulate", "--fit", real, "--compare", real, "-o", tmp_path / "x").refused("not allowed with")
    run("simulate", "--fit", real, "--generations", 0, "-o", tmp_path / "x").refused("--generations")
