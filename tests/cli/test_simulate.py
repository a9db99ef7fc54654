import json

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.simulate import surface_names


def images(path) -> list[np.ndarray]:
    return [channel.data for channel in open_scan(path).channels if channel.role != "mask"]


@pytest.mark.parametrize("form", ["npz", "gwy"])
def test_the_same_seed_makes_the_same_pairs(run, tmp_path, form):
    words = ["simulate", "--count", 2, "--size", "40x32", "--seed", 7, "--format", form, "-o"]
    text = run(*words, tmp_path / "1").done().out
    assert "2 pairs of 40 x 32 pixels, 0.1 nm a pixel" in text
    run(*words, tmp_path / "2").done()
    names = sorted(p.name for p in (tmp_path / "1").glob(f"*.{form}"))
    assert names == [f"si001h-realistic-7-0000{k}.{form}" for k in range(2)]
    for name in names:
        for one, other in zip(images(tmp_path / "1" / name), images(tmp_path / "2" / name), strict=True):
            assert one.tobytes() == other.tobytes()
    first, second = (images(tmp_path / "1" / name)[0] for name in names)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("surface", surface_names())
def test_every_surface_is_named_by_the_help_and_simulated(run, tmp_path, surface):
    assert surface in "".join(run("simulate", "--help").done().out.split())  # lines break at hyphens
    run("simulate", "--surface", surface, "--size", 32, "--preset", "mild", "-o", tmp_path).done()
    recipe = json.loads((tmp_path / f"{surface}-mild-0-00000.json").read_text())
    assert recipe["surface"]["name"] == surface
    assert np.isfinite(images(tmp_path / f"{surface}-mild-0-00000.npz")[0]).all()


def test_a_pair_of_a_series_does_not_depend_on_its_length(run, tmp_path):
    for count in (1, 2):
        run("simulate", "--count", count, "--size", 32, "--seed", 3, "-o", tmp_path / f"{count}").done()
    name = "si001h-realistic-3-00000.npz"
    np.testing.assert_array_equal(images(tmp_path / "1" / name)[0], images(tmp_path / "2" / name)[0])


def test_other_seeds_and_presets_make_other_pairs(run, tmp_path):
    for seed, preset in ((0, "mild"), (1, "mild"), (0, "severe")):
        run("simulate", "--size", 32, "--seed", seed, "--preset", preset, "-o", tmp_path).done()

    def degraded(seed, preset):
        return np.load(tmp_path / f"si001h-{preset}-{seed}-00000.npz")["raw"]

    assert not np.array_equal(degraded(0, "mild"), degraded(1, "mild"))
    assert not np.array_equal(degraded(0, "mild"), degraded(0, "severe"))


def test_an_npz_pair_is_degraded_and_pristine_with_its_recipe(run, tmp_path):
    run("simulate", "--size", 48, "--pixel-nm", 0.2, "-o", tmp_path).done()
    (path,) = tmp_path.glob("*.npz")
    content = np.load(path)
    assert content["raw"].shape == content["restored"].shape == (48, 48)
    assert str(content["unit"]) == "m"
    np.testing.assert_allclose(content["pixel_size_m"], 0.2e-9)
    assert not np.array_equal(content["raw"], content["restored"])
    assert 1e-12 < content["restored"].std() < 1e-9  # heights of atoms
    recipe = json.loads(path.with_suffix(".json").read_text())
    assert recipe["seed"] == [0, 0]
    assert recipe["surface"]["name"] == "si001h"
    assert recipe["preset"] == "realistic"
    scan = open_scan(path)
    assert scan.geometry.width == pytest.approx(48 * 0.2e-9)
    assert {c.role for c in scan.channels} >= {"raw", "restored"}


def test_a_simulated_scan_can_be_restored(run, tmp_path):
    run("simulate", "--size", 40, "--format", "gwy", "-o", tmp_path / "in").done()
    (facts,) = run("restore", tmp_path / "in", "--model", "row-median", "-o", tmp_path / "out", "--json").done().json
    assert facts["channel"] == "Z forward"  # the degraded one, not the truth


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--surface", "cheese"], ["cheese", "si001h", "graphene-moire"]),
        (["--preset", "perfect"], ["perfect", "realistic"]),
        (["--size", "0"], ["--size"]),
        (["--size", "12xx"], ["--size"]),
        (["--count", "0"], ["--count"]),
        (["--pixel-nm", "0"], ["nm"]),
        (["--pixel-nm", "nan"], ["nm"]),
        (["--pixel-nm", "50"], ["50 nm"]),
        (["--seed=-1"], ["seed"]),
        (["--format", "sxm"], ["sxm", "npz"]),
    ],
)
def test_what_cannot_be_simulated(run, tmp_path, words, parts):
    run("simulate", "--size", 32, *words, "-o", tmp_path / "out").refused(*parts)
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file(run, tmp_path):
    (tmp_path / "file").write_text("x")
    run("simulate", "--size", 32, "-o", tmp_path / "file").refused("file")
    assert (tmp_path / "file").read_text() == "x"
