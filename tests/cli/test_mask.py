import numpy as np
import pytest

from stmviewer.scan import make_mask


@pytest.mark.parametrize(
    "pattern", ["lines:4", "lines-random:0.25", "grid:3", "grid-jitter:4", "pixels:0.25", "spiral:0.3"]
)
def test_the_file_holds_the_mask_and_what_made_it(run, tmp_path, pattern):
    path = tmp_path / "mask.npz"
    facts = run("mask", "--pattern", pattern, "--pixels", "48x32", "--seed", 3, "-o", path, "--json").done().json
    content = np.load(path, allow_pickle=False)
    expected = make_mask(pattern, 32, 48, 3)
    np.testing.assert_array_equal(content["measured"], expected.measured)
    assert content["measured"].shape == (32, 48)
    assert str(content["pattern"]) == pattern
    assert int(content["seed"]) == 3
    assert facts["file"] == str(path)
    assert facts["measured_fraction"] == pytest.approx(expected.fraction)
    assert facts["full_time_s"] == 64  # 32 lines, there and back, at a second each
    assert facts["acquisition_time_s"] == pytest.approx(expected.acquisition_time_s())
    assert facts["times_faster"] == pytest.approx(64 / expected.acquisition_time_s())
    assert [p.name for p in tmp_path.iterdir()] == ["mask.npz"]


def test_the_text_tells_the_time_saved(run, tmp_path):
    out = run("mask", "--pattern", "lines:4", "--pixels", "512x512", "--line-time", 0.5, "-o", tmp_path / "m.npz")
    assert "25.0 % of 512 x 512 pixels; 128 s instead of 512 s, 4 times faster" in out.done().out


def test_seeds_matter(run, tmp_path):
    for seed in (0, 0, 1):
        run("mask", "--pattern", "pixels:0.2", "--pixels", "32x32", "--seed", seed, "-o", tmp_path / f"{seed}.npz")
    zero, one = (np.load(tmp_path / f"{seed}.npz")["measured"] for seed in (0, 1))
    assert zero.sum() == one.sum() == round(0.2 * 1024)
    assert not np.array_equal(zero, one)
    np.testing.assert_array_equal(zero, make_mask("pixels:0.2", 32, 32, 0).measured)


def test_a_missing_folder_is_made(run, tmp_path):
    run("mask", "--pattern", "grid:2", "--pixels", "16x16", "-o", tmp_path / "a" / "b" / "m.npz").done()
    assert (tmp_path / "a" / "b" / "m.npz").is_file()


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"--pattern": "lines"}, ["lines", "lines:4"]),
        ({"--pattern": "lines:0"}, ["lines:0"]),
        ({"--pattern": "lines:2.5"}, ["lines:2.5", "whole"]),
        ({"--pattern": "pixels:0"}, ["pixels:0"]),
        ({"--pattern": "pixels:1.5"}, ["pixels:1.5"]),
        ({"--pattern": "pixels:nan"}, ["pixels:nan"]),
        ({"--pattern": "stars:3"}, ["stars:3", "spiral"]),
        ({"--pattern": "lines:64"}, ["lines:64", "measures nothing"]),
        ({"--pixels": "32"}, None),
        ({"--pixels": "0x32"}, ["--pixels 0x32", "COLUMNSxROWS"]),
        ({"--pixels": "axb"}, ["--pixels axb"]),
        ({"--pixels": "99999x2"}, ["16384"]),
        ({"--seed": "-1"}, ["seed"]),
        ({"--line-time": "0"}, ["--line-time"]),
        ({"--line-time": "-2"}, ["--line-time"]),
        ({"--line-time": "nan"}, ["--line-time"]),
    ],
)
def test_masks_that_cannot_be(run, tmp_path, changes, parts):
    flags = {"--pattern": "lines:2", "--pixels": "32x16"} | changes
    words = [f"{flag}={value}" for flag, value in flags.items()]
    outcome = run("mask", *words, "-o", tmp_path / "m.npz")
    if parts is None:  # one number: a square
        assert "32 x 32" in outcome.done().out
        return
    outcome.refused(*parts)
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(run, tmp_path):
    words = ["mask", "--pattern", "lines:2", "--pixels", "8x8", "-o"]
    run(*words, tmp_path / "m.txt").refused("m.txt", ".npz")
    (tmp_path / "folder.npz").mkdir()
    run(*words, tmp_path / "folder.npz").refused("folder.npz", "is a folder")
    (tmp_path / "file").write_text("x")
    run(*words, tmp_path / "file" / "m.npz").refused("m.npz")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.npz"]
