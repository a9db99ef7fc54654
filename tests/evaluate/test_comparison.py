import numpy as np
import pytest
from PIL import Image

from stmviewer.evaluate import comparison as c
from stmviewer.evaluate import likeness
from stmviewer.evaluate.likeness_report import report
from stmviewer.evaluate.matched import degraded, matched_fields
from stmviewer.evaluate.real_images import RealImage, read_images
from stmviewer.scan import FileError, Progress, RequestError
from stmviewer.simulate import Si001H, simulate_scan
from stmviewer.simulate.presets import PRESETS


def picture(path, data):
    """An 8-bit image without a size, as the public ones are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    low, high = data.min(), data.max()
    Image.fromarray(np.rint((data - low) / (high - low) * 254).astype(np.uint8)).save(path)


def silicon(pixel_m=0.03e-9, seed=0, side=128, noise=3e-12):
    rng = np.random.default_rng(seed)
    surface = Si001H(angle_deg=25, tip_height_m=0.4e-9)
    return surface.make(side, side, pixel_m, rng) + rng.normal(0, noise, (side, side))


@pytest.fixture
def folder(tmp_path):
    for session in ("a", "b", "c"):
        for k in range(3):
            picture(tmp_path / "real" / session / f"{session}_{k}.png", silicon(seed=k))
    return tmp_path / "real"


def test_every_session_has_its_share_and_pixel_sizes_are_estimated(folder):
    images = read_images(folder, Progress(), count=3)
    assert sorted(image.group for image in images) == ["a", "b", "c"]
    assert all(image.estimated for image in images)
    for image in images:
        assert image.pixel_m == pytest.approx(0.03e-9, rel=0.06)
        assert image.data.shape == (128, 128)
    assert len(read_images(folder, Progress())) == 9


def test_sessions_left_out_and_asked_for(folder):
    assert {i.group for i in read_images(folder, Progress(), without=["b"])} == {"a", "c"}
    assert {i.group for i in read_images(folder, Progress(), only=["b", "x"])} == {"0", "1", "2"}
    with pytest.raises(FileError, match="sessions that are asked for"):
        read_images(folder, Progress(), only=["x"])


def test_an_image_without_clear_rows_takes_the_pixel_size_of_its_session(folder):
    picture(folder / "a_noise.png", np.random.default_rng(0).normal(size=(96, 96)))
    (noise,) = [i for i in read_images(folder, Progress()) if i.path.name == "a_noise.png"]
    assert noise.pixel_m == pytest.approx(0.03e-9, rel=0.06)


def test_a_known_pixel_size_is_believed(tmp_path):
    from stmviewer.files import save_scan
    from stmviewer.simulate import to_scan

    for k in range(2):
        save_scan(to_scan(simulate_scan("si001h", 64, 64, 0.2e-9, "mild", k)), tmp_path / f"s_{k}.gwy")
    images = read_images(tmp_path, Progress())
    assert [i.pixel_m for i in images] == pytest.approx([0.2e-9] * 2)
    assert not any(i.estimated for i in images)
    assert [i.group for i in images] == ["0", "1"]  # one session alone: each image for itself


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda p: None, "no such folder"),
        (lambda p: p.mkdir(), "holds no scan"),
        (lambda p: picture(p / "small.png", silicon(side=40)), "no image in this folder can be compared"),
        (lambda p: (p.mkdir(), (p / "broken.png").write_bytes(b"no"))[0], "no image in this folder can be compared"),
        (lambda p: picture(p / "n.png", np.random.default_rng(0).normal(size=(80, 80))), "no dimer rows"),
    ],
)
def test_folders_that_cannot_be_compared_with(tmp_path, make, cause):
    make(tmp_path / "x")
    with pytest.raises(FileError, match=cause):
        read_images(tmp_path / "x", Progress())


def real_like(preset, count=10, side=96, pixel_m=0.05e-9, seed=11):
    fake = [RealImage(None, np.zeros((side, side)) + 0.5, pixel_m, f"g{k % 5}") for k in range(count)]
    fields = matched_fields(fake, "si001h", seed, Progress())
    images = degraded(fields, PRESETS[preset], seed, Progress())
    return [RealImage(None, z, pixel_m, f"g{k % 5}") for k, z in enumerate(images)]


def test_fields_have_the_shape_of_their_images_and_presets_share_them():
    real = real_like("mild", 3)
    fields = matched_fields(real, "si001h", 2, Progress())
    again = matched_fields(real[:2], "si001h", 2, Progress())
    np.testing.assert_array_equal(fields[1].heights, again[1].heights)
    assert [f.pristine.shape for f in fields] == [(96, 96)] * 3
    one, two = (degraded(fields, PRESETS["mild"], 2, Progress()) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    with pytest.raises(RequestError, match="cheese"):
        matched_fields(real, "cheese", 0, Progress())


def test_the_preset_that_made_the_images_is_the_nearest():
    real = real_like("severe", 16)
    found = c.compare(real, "si001h", {n: PRESETS[n] for n in ("mild", "severe", "reference")}, Progress(), seed=3)
    totals = {d.name: d.total for d in found.distances}
    assert min(totals, key=totals.get) == "severe"
    assert list(totals) == [c.PRISTINE, "mild", "severe", "reference"]
    assert found.distance("severe").spectrum_error < found.distance(c.PRISTINE).spectrum_error


def test_8_bits_are_put_on_what_is_compared_with_8_bits():
    real = np.rint(np.random.default_rng(0).uniform(3, 200, (64, 64)))
    image = silicon(side=64) * 1e3
    stored = c.as_8_bits(image, real)
    assert stored.min() == real.min()
    assert stored.max() == real.max()
    assert c.has_8_bits(stored)
    assert not c.has_8_bits(image)
    flat = c.as_8_bits(np.zeros((8, 8)), real)
    assert (flat == real.min()).all()


def test_the_report_stands_alone_and_names_what_was_compared():
    found = c.compare(real_like("mild", 5), "si001h", {"mild": PRESETS["mild"]}, Progress())
    page = report(found, "mild")
    assert page.count("data:image/png;base64,") == 3
    assert "://" not in page  # base64 has no such thing
    for words in ("5 real images of 5 sessions", "Height histogram", "mild", "pristine"):
        assert words in page
    text = c.table(found)
    assert text.count("\n") == len(likeness.FAMILIES) + 4
    assert f"| mean of all | {likeness.total(found.among_real):.2f} |" in text
