import logging

import numpy as np
import pytest

from stmviewer.files import save_scan
from stmviewer.scan import Channel, FileError, Geometry, Progress, Scan
from stmviewer.train.dataset import SampleMaker
from stmviewer.train.folder import FolderSource, read_folder


def lattice(rows: int = 80, columns: int = 80, seed: int = 0) -> np.ndarray:
    """Rows 8 pixels apart on a tilted plane, a little noise; metres."""
    y, x = np.mgrid[0:rows, 0:columns]
    noise = np.random.default_rng(seed).standard_normal((rows, columns))
    return 30e-12 * np.sin(2 * np.pi * x / 8) + 1e-12 * y + 2e-12 * noise + 5e-9


def save(path, data, pixel_m: float = 0.1e-9):
    rows, columns = data.shape
    scan = Scan([Channel("Z", "m", data)], Geometry(columns, rows, columns * pixel_m, rows * pixel_m))
    path.parent.mkdir(parents=True, exist_ok=True)
    return save_scan(scan, path)


def read(folder, least: int = 64, listed=None) -> FolderSource:
    return read_folder(folder, least, listed, Progress())


@pytest.fixture
def mixed(tmp_path):
    """Two good scans and one of each kind that cannot be used."""
    save(tmp_path / "good.gwy", lattice())
    save(tmp_path / "deeper" / "other.npz", lattice(seed=1), 0.2e-9)
    save(tmp_path / "small.gwy", lattice(63, 80))
    save(tmp_path / "constant.gwy", np.full((80, 80), 2e-9))
    gap = lattice()
    gap[3, 4] = np.nan
    save(tmp_path / "gap.gwy", gap)
    save(tmp_path / "unmeasured.gwy", np.full((80, 80), np.nan))
    (tmp_path / "empty.sxm").touch()
    (tmp_path / "text.png").write_text("not a picture")
    whole = save(tmp_path / "damaged.npz", lattice(seed=2)).read_bytes()
    at = whole.index(b"NUMPY") + 4000  # in the data, not in a header: found when the data is read
    (tmp_path / "damaged.npz").write_bytes(whole[:at] + bytes(64) + whole[at + 64 :])
    (tmp_path / "notes.txt").write_text("of no interest")
    return tmp_path


def test_good_scans_are_used_and_the_others_named_with_a_reason(mixed, caplog):
    with caplog.at_level(logging.WARNING):
        found = read(mixed)
    assert [p.name for p in found.paths] == ["other.npz", "good.gwy"]
    assert len(found) == len(found.images) == len(found.pixels_m) == 2
    assert found.pixels_m == pytest.approx((0.2e-9, 0.1e-9))
    reasons = {one.path.name: one.reason for one in found.rejected}
    assert reasons.keys() == {
        "small.gwy",
        "constant.gwy",
        "gap.gwy",
        "unmeasured.gwy",
        "empty.sxm",
        "text.png",
        "damaged.npz",
    }
    assert "smaller than 64 pixels" in reasons["small.gwy"]
    assert "same value" in reasons["constant.gwy"]
    assert "not measured" in reasons["gap.gwy"]
    assert "no pixel was measured" in reasons["unmeasured.gwy"]
    assert "empty" in reasons["empty.sxm"]
    assert "not a scan" in reasons["text.png"]
    assert "damaged" in reasons["damaged.npz"]
    for one in found.rejected:  # the user is told of each, once
        assert sum(one.path.name in message for message in caplog.messages) == 1


def test_a_list_chooses_and_what_it_names_in_vain_is_told(mixed):
    found = read(mixed, listed=["deeper/other.npz", "gone.gwy"])
    assert [p.name for p in found.paths] == ["other.npz"]
    assert [one.path.name for one in found.rejected] == ["gone.gwy"]
    assert "no such file" in found.rejected[0].reason


def test_a_folder_without_a_usable_scan_is_an_error_that_says_why(tmp_path):
    save(tmp_path / "small.gwy", lattice(40, 40))
    with pytest.raises(FileError, match=r"small\.gwy: smaller than 64 pixels a side \(40\)") as caught:
        read(tmp_path)
    assert caught.value.path == tmp_path
    assert "Give larger scans" in caught.value.advice
    save(tmp_path / "unsmall.gwy", np.full((80, 80), 1e-9))
    with pytest.raises(FileError, match=r"2 files, none can be used"):
        read(tmp_path)


def test_what_would_help_is_said(tmp_path):
    def advice(least: int) -> str:
        with pytest.raises(FileError) as caught:
            read_folder(tmp_path, least, None, Progress(), training=True)
        return caught.value.advice

    assert ".sxm" in advice(64)  # nothing there: what could be
    save(tmp_path / "constant.gwy", np.full((80, 80), 1e-9))
    assert "measured to the last line" in advice(64)
    save(tmp_path / "small.gwy", lattice(70, 90))
    assert advice(96) == "--crop 32 takes scans from 64 pixels a side on"


def test_empty_and_missing_folders_are_errors(tmp_path):
    with pytest.raises(FileError, match="no scan in this folder"):
        read(tmp_path)
    with pytest.raises(FileError, match="no such folder"):
        read(tmp_path / "gone")
    file = tmp_path / "file.txt"
    file.write_text("x")
    with pytest.raises(FileError, match="is a file, not a folder"):
        read(file)


def test_images_are_level_scaled_alike_and_without_spikes(tmp_path):
    spiked = 1000 * lattice()
    spiked[20, 20] = 1e-3
    save(tmp_path / "a.gwy", lattice())
    save(tmp_path / "b.gwy", spiked)
    for image in read(tmp_path).images:
        low, high = np.percentile(image, (1, 99))
        assert high - low == pytest.approx(120e-12, rel=0.05)
        assert np.abs(image).max() <= 3 * 60e-12 * (1 + 1e-9)
        columns = image.mean(axis=1)
        assert np.ptp(np.polyval(np.polyfit(np.arange(80), columns, 1), [0, 79])) < 2e-12


def test_uncalibrated_images_get_a_nominal_size(tmp_path):
    np.save(tmp_path / "a.npy", lattice() * 1e9)
    assert read(tmp_path).pixels_m == (0.06e-9,)


def source(*shapes: tuple[int, int], coarsest: int = 3) -> FolderSource:
    """Images that number their pixels: column + 1000 row."""
    images = tuple(np.add.outer(1000.0 * np.arange(r), np.arange(c)) for r, c in shapes)
    return FolderSource(images, (0.1e-9,) * len(images), (), (), coarsest)


def test_crops_are_pieces_of_the_image_turned_and_flipped():
    fields = source((50, 70), coarsest=1)
    assert fields.side(0) == 50
    rng = np.random.default_rng(0)
    turns = set()
    for _ in range(60):
        crop = fields.crop(0, 16, rng)
        assert crop.shape == (16, 16)
        steps = (crop[1, 0] - crop[0, 0], crop[0, 1] - crop[0, 0])
        assert {abs(s) for s in steps} == {1, 1000}
        assert np.array_equal(np.sort(crop.ravel()), np.sort(_piece(crop).ravel()))
        turns.add(steps)
    assert len(turns) == 8  # four quarters, each flipped or not


def _piece(crop: np.ndarray) -> np.ndarray:
    """The 16 x 16 piece of the numbered image that begins at the least number of the crop."""
    return crop.min() + np.add.outer(1000.0 * np.arange(16), np.arange(16))


def test_coarse_crops_average_the_fast_axis_and_drop_lines():
    """What a faster scan would have measured; averaged lines would be truths without noise."""
    fields = source((60, 60))
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(80):
        crop = fields.crop(0, 16, rng)
        assert crop.shape == (16, 16)
        along, down = sorted(abs(s) for s in (crop[0, 1] - crop[0, 0], crop[1, 0] - crop[0, 0]))
        factor = round(along)
        seen.add(factor)
        assert down == 1000 * factor
        # columns averaged: fractions of a column where the factor is even; lines are whole ones
        assert crop.min() % 1 == pytest.approx(0.5 if factor == 2 else 0)
        assert (crop.min() // 1000) % 1 == 0
    assert seen == {1, 2, 3}


def test_line_noise_is_taken_off_before_lines_become_columns():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, 64)
    image = np.tile(noise[:, None], (1, 64))
    fields = FolderSource((image,), (0.1e-9,), (), (), 1, lines=(noise,))
    along, across = [], []
    for _ in range(40):
        crop = fields.crop(0, 32, rng)
        along.append(crop.std(axis=1).max())
        across.append(crop.std(axis=0).max())
    assert max(along) == pytest.approx(0, abs=1e-12)  # never noise along columns
    assert np.mean(np.array(across) > 0.5) == pytest.approx(0.5, abs=0.25)  # but as measured where lines stay lines


def test_crops_as_large_as_the_image_allow_no_coarser_ones():
    fields = source((64, 80))
    rng = np.random.default_rng(2)
    for _ in range(10):
        assert fields.crop(0, 64, rng).shape == (64, 64)


def test_samples_can_be_made_of_a_folder(tmp_path):
    save(tmp_path / "a.gwy", lattice(100, 120))
    maker = SampleMaker(read(tmp_path), 64, noisy_targets=False)
    for i in range(6):
        sample = maker.make(i)
        assert sample.target.shape == (64, 64)
        assert np.isfinite(sample.filled).all()
        assert np.isfinite(sample.target).all()


def test_lines_stay_horizontal_in_what_was_scanned():
    """Its noise runs along the lines, and rebuilding a line needs to know."""
    rng = np.random.default_rng(0)
    image = np.repeat(rng.standard_normal((96, 1)), 96, axis=1) * 1e-12
    source = FolderSource((image,), (0.1e-9,), (), (), calibrated=True)
    for _ in range(20):
        crop, pixel_m = source.scanned(0, 24, rng)
        assert crop.shape == (24, 24)
        assert np.ptp(crop, axis=1).max() < 1e-18
        assert pixel_m in [pytest.approx(k * 0.1e-9) for k in (1, 2, 3, 4)]
    assert any(np.ptp(source.crop(0, 24, rng), axis=1).max() > 1e-13 for _ in range(20))


def test_scans_without_a_scale_have_no_pixel_size():
    source = FolderSource((lattice(),), (0.06e-9,), (), (), calibrated=False)
    assert source.scanned(0, 32, np.random.default_rng(0))[1] is None


def test_dimer_rows_tell_the_pixel_size_where_asked(tmp_path):
    from stmviewer.simulate import Si001H

    rng = np.random.default_rng(4)
    for k, pixel_m in enumerate((0.06e-9, 0.12e-9)):
        z = Si001H(angle_deg=30, bias_v=-2.0, tip_height_m=0.4e-9).make(160, 160, pixel_m, rng)
        np.save(tmp_path / f"s{k}_image.npy", z + rng.normal(0, 2e-12, z.shape))
    told = read_folder(tmp_path, 64, None, Progress(), size_by_rows=True)
    assert told.calibrated
    assert told.pixels_m == pytest.approx((0.06e-9, 0.12e-9), rel=0.06)
    pixel_m = told.scanned(0, 64, rng)[1]
    assert pixel_m == pytest.approx(0.06e-9 * round(pixel_m / 0.06e-9), rel=0.06)
    assert not read_folder(tmp_path, 64, None, Progress()).calibrated


def test_a_given_pixel_size_is_that_of_scans_without_one(tmp_path):
    save_scan(Scan([Channel("Z", "m", lattice())], Geometry.of_pixels(80, 80)), tmp_path / "a.npz")
    save(tmp_path / "b.gwy", lattice(seed=1), 0.2e-9)
    given = read_folder(tmp_path, 64, None, Progress(), image_pixel_m=0.1e-9)
    assert given.calibrated
    assert given.pixels_m == pytest.approx((0.1e-9, 0.2e-9))
    assert given.scanned(0, 64, np.random.default_rng(0))[1] == pytest.approx(0.1e-9)
    assert not read(tmp_path).calibrated


def test_images_without_rows_do_not_tell_a_size(tmp_path):
    np.save(tmp_path / "noise.npy", np.random.default_rng(0).normal(size=(100, 100)))
    with pytest.raises(FileError, match="no dimer rows are seen"):
        read_folder(tmp_path, 64, None, Progress(), size_by_rows=True)


def test_small_crops_are_of_coarse_versions_as_often_as_of_fine_ones():
    source = FolderSource((np.zeros((300, 300)),), (1e-10,), (), ())
    rng = np.random.default_rng(0)
    small = [source._factor(0, 24, rng) for _ in range(2000)]
    large = [source._factor(0, 64, rng) for _ in range(2000)]
    assert set(small) == set(range(1, 13))
    assert np.mean(small) == pytest.approx(6.5, abs=0.3)
    assert np.bincount(large)[1] > 1.5 * np.bincount(large)[4]


def in_unit(path, unit: str, seed: int):
    data = lattice(seed=seed)
    return save_scan(Scan([Channel("X", unit, data)], Geometry(80, 80, 8e-9, 8e-9)), path)


def test_scans_in_another_unit_than_most_are_left_out(tmp_path):
    for k, unit in enumerate(("A", "m", "A")):
        in_unit(tmp_path / f"{k}.gwy", unit, k)
    found = read(tmp_path)
    assert [p.name for p in found.paths] == ["0.gwy", "2.gwy"]
    assert np.isnan(found.scales).all()
    (left,) = found.rejected
    assert left.path.name == "1.gwy"
    assert left.reason == "in m, where most scans of the folder are in A"
    in_unit(tmp_path / "3.gwy", "m", 3)
    assert [p.name for p in read(tmp_path).paths] == ["1.gwy", "3.gwy"]  # of as many, heights


def test_sessions_that_a_folder_keeps_for_judging_are_not_trained_on(tmp_path):
    for name in ("a_1.gwy", "b_1.gwy", "b_2.gwy"):
        save(tmp_path / "pristine" / name, lattice())
    (tmp_path / "validation_sessions.txt").write_text("b\nc\n")
    found = read_folder(tmp_path, 64, None, Progress(), training=True)
    assert [p.name for p in found.paths] == ["a_1.gwy"]
    assert all("judged by" in one.reason for one in found.rejected)
    inside = read_folder(tmp_path / "pristine", 64, None, Progress(), training=True)  # the list lies beside it
    assert [p.name for p in inside.paths] == ["a_1.gwy"]
    assert len(read(tmp_path)) == 3  # to be judged on
    with pytest.raises(FileError, match="judged by"):
        read_folder(tmp_path, 64, ["pristine/b_1.gwy"], Progress(), training=True)
