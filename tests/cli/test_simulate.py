import json

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.simulate import surface_names

from . import scans


def images(path) -> list[np.ndarray]:
    return [channel.data for channel in open_scan(path).channels if channel.role != "mask"]


@pytest.mark.parametrize("form", ["npz", "gwy", "sxm"])
def test_the_same_seed_makes_the_same_pairs(run, tmp_path, form):
    words = ["simulate", "--count", 2, "--size", "40x32", "--seed", 7, "--format", form, "-o"]
    text = run(*words, tmp_path / "1").done().out
    assert "2 pairs of 40 x 32 pixels, 0.1 nm a pixel" in text
    run(*words, tmp_path / "2").done()
    names = sorted(p.name for p in (tmp_path / "1").glob(f"*.{form}"))
    # nobody is to take a .sxm file of ours for one of a microscope's
    made = "_simulated" if form == "sxm" else ""
    assert names == [f"si001h-realistic-7-0000{k}{made}.{form}" for k in range(2)]
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


def test_parameters_of_a_surface_are_set(run, tmp_path):
    words = ["simulate", "--surface", "square", "--size", 32, "--count", 2, "-o", tmp_path]
    run(*words, "--set", "lattice_m=0.4e-9", "--set", "steps=1").done()
    for k in range(2):
        surface = json.loads((tmp_path / f"square-realistic-0-0000{k}.json").read_text())["surface"]
        assert (surface["lattice_m"], surface["steps"]) == (0.4e-9, 1)


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


def test_an_sxm_pair_has_both_ways_of_the_same_surface(run, tmp_path):
    run("simulate", "--size", "64x48", "--seed", 5, "--format", "sxm", "-o", tmp_path).done()
    (path,) = tmp_path.glob("*.sxm")
    scan = open_scan(path)
    assert [c.label for c in scan.channels] == ["Z forward", "Z backward", "Z pristine forward"]
    assert scan.geometry.width == pytest.approx(64 * 0.1e-9)
    forward, backward, pristine = (c.data for c in scan.channels)
    assert not np.array_equal(forward, backward)
    recipe = json.loads(path.with_suffix(".json").read_text())
    assert sum(scan.line_time_s) == pytest.approx(recipe["line_time_s"])
    assert scan.bias_v == recipe["surface"]["bias_v"]
    # as nanonispy2 reads it: in the order of storage, so the backward image is mirrored
    theirs = pytest.importorskip("nanonispy2").read.Scan(str(path))
    np.testing.assert_array_equal(theirs.signals["Z"]["forward"], forward)
    np.testing.assert_array_equal(theirs.signals["Z"]["backward"], backward[:, ::-1])
    np.testing.assert_array_equal(theirs.signals["Z pristine"]["forward"], pristine)


@pytest.mark.parametrize("form", ["npz", "sxm", "gwy"])
def test_unfinished_scans_say_what_was_measured(run, tmp_path, form):
    run("simulate", "--size", 40, "--unfinished", 1, "--format", form, "-o", tmp_path).done()
    (path,) = tmp_path.glob(f"*.{form}")
    scan = open_scan(path)
    measured = scan.channel("Z", "forward").measured
    assert 0.1 < measured.mean() < 1
    assert measured[0].all()
    assert not measured[-1].any()
    pristine = [c for c in scan.channels if c.name == "Z pristine" or c.role == "restored"]
    assert pristine[0].measured.all()
    assert json.loads(path.with_suffix(".json").read_text())["degradations"][-1]["name"] == "Unfinished"


def test_a_folder_of_good_scans_is_a_surface(run, tmp_path):
    for k in range(3):
        scans.write(tmp_path / "good" / f"{k}.gwy", scans.lattice(120, 100, seed=k))
    out = tmp_path / "out"
    text = run("simulate", "--surface", tmp_path / "good", "--count", 4, "--size", "48x40", "-o", out).done().out
    assert "4 pairs of 48 x 40 pixels" in text
    recipes = [json.loads(p.read_text()) for p in sorted(out.glob("good-realistic-0-0000?.json"))]
    assert len(recipes) == 4
    assert {r["surface"]["name"] for r in recipes} <= {"0.gwy", "1.gwy", "2.gwy"}
    own = open_scan(tmp_path / "good" / "0.gwy")
    heights = own.channel().data.std()
    for k, recipe in enumerate(recipes):
        made = open_scan(out / f"good-realistic-0-0000{k}.npz")
        assert made.geometry.shape == (40, 48)
        assert made.geometry.pixel_width == pytest.approx(own.geometry.pixel_width * recipe["surface"]["factor"])
        pristine = next(c for c in made.channels if c.role == "restored")
        assert pristine.data.std() < 2 * heights  # in metres, as measured


def test_one_good_scan_at_a_pixel_size(run, tmp_path):
    file = scans.write(tmp_path / "one.gwy", scans.lattice(120, 120))
    own_nm = open_scan(file).geometry.pixel_width * 1e9
    words = ["simulate", "--surface", file, "--size", 40, "-o", tmp_path / "out", "--pixel-nm"]
    run(*words, 2 * own_nm).done()
    (made,) = (tmp_path / "out").glob("one-*.npz")
    assert open_scan(made).geometry.pixel_width == pytest.approx(2e-9 * own_nm)
    run(*words, own_nm / 2).refused("fine enough")
    run(*words, 4 * own_nm).refused("large and fine enough", "120 x 120")


def test_scans_without_a_size_are_taken_at_a_nominal_one(run, tmp_path):
    np.save(tmp_path / "image.npy", scans.lattice(100, 100) * 1e9)
    text = run("simulate", "--surface", tmp_path / "image.npy", "--size", 40, "-o", tmp_path / "out").done().out
    assert "0.06 nm a pixel" in text
    (recipe,) = (tmp_path / "out").glob("image-*-00000.json")
    assert json.loads(recipe.read_text())["surface"]["calibrated"] is False


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--surface", "cheese"], ["cheese", "si001h", "graphene-moire"]),
        (["--set", "colour=red"], ["colour", "angle_deg"]),
        (["--set", "steps"], ["PARAMETER=VALUE"]),
        (["--set", "corrugation_m=wide"], ["wide", "corrugation_m"]),
        (["--preset", "perfect"], ["perfect", "realistic"]),
        (["--size", "0"], ["--size"]),
        (["--size", "12xx"], ["--size"]),
        (["--count", "0"], ["--count"]),
        (["--pixel-nm", "0"], ["nm"]),
        (["--pixel-nm", "nan"], ["nm"]),
        (["--pixel-nm", "50"], ["50 nm"]),
        (["--seed=-1"], ["seed"]),
        (["--format", "tif"], ["tif", "sxm", "npz"]),
        (["--unfinished", "1.5"], ["unfinished", "1.5"]),
        (["--surface", "no/such/folder"], ["no/such/folder", "si001h"]),
    ],
)
def test_what_cannot_be_simulated(run, tmp_path, words, parts):
    run("simulate", "--size", 32, *words, "-o", tmp_path / "out").refused(*parts)
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file(run, tmp_path):
    (tmp_path / "file").write_text("x")
    run("simulate", "--size", 32, "-o", tmp_path / "file").refused("file")
    assert (tmp_path / "file").read_text() == "x"
