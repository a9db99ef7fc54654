import numpy as np
import pytest

from stmviewer.scan import RequestError
from stmviewer.simulate import RealImages, Si001H, simulate_on_images
from stmviewer.simulate.real_images import coarser, cut, draw_factor, line_noise

PIXEL = 0.08e-9


def surface(angle_deg: float, steps: int = 0, seed: int = 1):
    made = Si001H(angle_deg=angle_deg, steps=steps, missing_dimers=0.02, dangling_bonds=0.003)
    return made.make(200, 200, PIXEL, np.random.default_rng(seed))


@pytest.mark.parametrize("angle", [1, 3, 20, 90])
def test_line_noise_is_found_and_the_lattice_left_alone(angle):
    """Also where dimer rows run nearly along the lines and look much like line noise."""
    rng = np.random.default_rng(2)
    clean = surface(angle)
    clean = clean + rng.normal(0, 3e-12, clean.shape)
    noise = rng.normal(0, 4e-12, 200)
    noise -= noise.mean()
    left = (line_noise(clean + noise[:, None]) - noise).std()
    assert left < 0.75 * noise.std()
    assert line_noise(clean).std() < 0.1 * clean.std()


def test_terraces_stay_where_they_are():
    for angle in (20, 90):
        stepped = surface(angle, steps=1)
        assert line_noise(stepped).std() < 0.07 * stepped.std()


def test_small_images_have_no_line_noise_to_speak_of():
    np.testing.assert_array_equal(line_noise(np.random.default_rng(0).normal(size=(10, 40))), 0)


def test_coarser_images_are_means_along_the_lines_and_left_out_lines():
    image = np.add.outer(1000.0 * np.arange(24), np.arange(24.0))
    np.testing.assert_array_equal(coarser(image, 10, 12, 1), image[:10, :12])
    np.testing.assert_allclose(coarser(image, 12, 12, 2), image[1::2].reshape(12, 12, 2).mean(axis=2))
    np.testing.assert_allclose(coarser(image, 8, 8, 3), image[1::3].reshape(8, 8, 3).mean(axis=2))
    half = coarser(image, 12, 16, 1.5)
    np.testing.assert_allclose(np.diff(half, axis=1), 1.5)
    np.testing.assert_allclose(np.diff(half[3:-3], axis=0), 1500, rtol=1e-3)
    # the mean of a line stays: nothing is seen twice or lost
    np.testing.assert_allclose(half.mean(axis=1), half[:, 0] + 1.5 * 7.5)


def test_pieces_turn_flip_and_scale_and_say_so():
    image = np.random.default_rng(3).normal(size=(90, 120))
    rng = np.random.default_rng(4)
    seen = set()
    for _ in range(60):
        factor = draw_factor(2.0, rng)
        found = cut(image, (30, 40), factor, rng)
        r = found.recipe
        assert found.image.shape == (30, 40)
        rows, columns = (40, 30) if r["quarter_turns"] % 2 else (30, 40)
        high, wide = (int(np.ceil(n * factor)) for n in (rows, columns))
        part = image[r["top"] : r["top"] + high, r["left"] : r["left"] + wide]
        again = np.rot90(coarser(part, rows, columns, r["factor"]), r["quarter_turns"])
        np.testing.assert_array_equal(found.image, again[:, ::-1] if r["flipped"] else again)
        seen.add((r["quarter_turns"], r["flipped"]))
    assert len(seen) == 8


def test_pieces_that_fit_one_way_only_are_turned_that_way():
    image = np.random.default_rng(5).normal(size=(40, 100))
    rng = np.random.default_rng(6)
    assert {cut(image, (80, 30), 1.0, rng).recipe["quarter_turns"] for _ in range(20)} == {1, 3}
    with pytest.raises(RequestError, match="does not fit"):
        cut(image, (41, 41), 1.0, rng)


def test_line_noise_never_becomes_column_noise():
    """The order counts: a picture of line noise alone, turned, is nearly blank (slow waves are left)."""
    noise = np.random.default_rng(7).normal(0, 5e-12, 128)
    images = RealImages.of([np.tile(noise[:, None], (1, 128))], [PIXEL])
    for seed in range(12):
        pair = simulate_on_images(images, 40, 40, PIXEL, "reference", (0, seed))
        assert np.diff(pair.clean, axis=1).std() < 0.25 * np.diff(noise).std()


def test_pairs_of_real_images_depend_on_seed_and_index_alone():
    images = RealImages.of([surface(30), surface(75, seed=2)], [PIXEL, 2 * PIXEL], ["a.sxm", "b.sxm"])
    pairs = [simulate_on_images(images, 48, 64, None, "realistic", (1, i)) for i in range(6)]
    for i in reversed(range(6)):
        again = simulate_on_images(images, 48, 64, None, "realistic", (1, i))
        np.testing.assert_array_equal(again.degraded, pairs[i].degraded)
        np.testing.assert_array_equal(again.backward, pairs[i].backward)
    assert {p.recipe["surface"]["name"] for p in pairs} == {"a.sxm", "b.sxm"}
    for pair in pairs:
        own = {"a.sxm": PIXEL, "b.sxm": 2 * PIXEL}[pair.recipe["surface"]["name"]]
        assert pair.pixel_m == pytest.approx(own * pair.recipe["surface"]["factor"])
    assert len({p.pixel_m for p in pairs}) > 2


def test_the_pixel_size_asked_for_chooses_images_that_are_fine_enough():
    images = RealImages.of([surface(30), surface(75, seed=2)], [PIXEL, 2 * PIXEL], ["a.sxm", "b.sxm"])
    for i in range(5):
        pair = simulate_on_images(images, 48, 48, 1.5 * PIXEL, "mild", (2, i))
        assert pair.recipe["surface"]["name"] == "a.sxm"
        assert pair.pixel_m == pytest.approx(1.5 * PIXEL)
    for arguments in ((48, 48, 0.5 * PIXEL), (300, 48, None), (150, 150, 4 * PIXEL)):
        with pytest.raises(RequestError, match="large and fine enough"):
            simulate_on_images(images, *arguments, "mild", 0)
