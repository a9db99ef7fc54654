import numpy as np
import pytest
from PIL import Image

from stmviewer.evaluate import sets
from stmviewer.files import save_scan
from stmviewer.scan import Channel, FileError, Geometry, Scan


def image(rows: int = 48, columns: int = 48, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns)) * 1e-11


def save(path, data):
    rows, columns = data.shape
    return save_scan(Scan([Channel("Z", "m", data)], Geometry(columns, rows, columns * 1e-10, rows * 2e-10)), path)


def test_simulated_sets_are_always_the_same():
    one, other = sets.simulated(1, 64), sets.simulated(1, 64)
    assert list(one) == ["simulated fine", "simulated medium", "simulated coarse"]
    for name in one:
        (a,), (b,) = one[name], other[name]
        assert a.truth is not None
        assert b.truth is not None
        np.testing.assert_array_equal(a.truth, b.truth)
        np.testing.assert_array_equal(a.scan.channel().data, b.scan.channel().data)
        assert a.truth.shape == a.scan.channel().data.shape == (64, 64)
        assert not np.array_equal(a.truth, a.scan.channel().data)
    pixels = [cases[0].scan.geometry.pixel_width for cases in one.values()]
    assert pixels == pytest.approx([0.05e-9, 0.10e-9, 0.18e-9])


def test_a_longer_simulated_set_begins_with_the_shorter():
    short, long = sets.simulated(1, 48)["simulated medium"], sets.simulated(2, 48)["simulated medium"]
    np.testing.assert_array_equal(short[0].truth, long[0].truth)
    assert [case.group for case in long] == ["simulated 0", "simulated 1"]


def test_no_training_seed_makes_the_benchmark():
    """The benchmark's surfaces are drawn from streams that no seed of a training reaches."""
    from stmviewer.simulate import PristineBank

    truth = sets.simulated(1, 48)["simulated medium"][0].truth
    assert truth is not None
    bank = PristineBank("si001h", 1, 48, (0.1e-9, 0.1e-9), seed=sets._BENCHMARK_SEED)
    assert not np.allclose(truth - truth.mean(), bank.fields[0], atol=1e-12)


def test_a_folder_gives_its_whole_scans_by_groups(tmp_path):
    save(tmp_path / "monday_1.gwy", image())
    save(tmp_path / "monday_2.gwy", image(seed=1))
    save(tmp_path / "deeper" / "tuesday_1.gwy", image(seed=2))
    gap = image()
    gap[0, 0] = np.nan
    save(tmp_path / "gap.gwy", gap)
    save(tmp_path / "constant.gwy", np.full((48, 48), 1e-9))
    save(tmp_path / "small.gwy", image(31, 48))
    (tmp_path / "empty.sxm").touch()
    (tmp_path / "text.txt").write_text("x")
    found = sets.folder(tmp_path)
    assert [case.group for case in found] == ["tuesday", "monday", "monday"]
    assert all(case.truth is None for case in found)
    np.testing.assert_array_equal(found[1].scan.channel().data, image())


def test_scans_named_alike_are_groups_of_their_own(tmp_path):
    """`scan_001`, `scan_002`: no session can be read from such names."""
    for k in range(3):
        save(tmp_path / f"scan_{k:03d}.gwy", image(seed=k))
    assert len({case.group for case in sets.folder(tmp_path)}) == 3


def test_a_scan_whose_data_is_damaged_is_left_out(tmp_path):
    save(tmp_path / "good.npz", image())
    whole = save(tmp_path / "damaged.npz", image()).read_bytes()
    at = whole.index(b"NUMPY") + 4000
    (tmp_path / "damaged.npz").write_bytes(whole[:at] + bytes(64) + whole[at + 64 :])
    assert [case.scan.name for case in sets.folder(tmp_path)] == ["good.npz"]


def test_a_scan_whose_middle_is_flat_is_left_out(tmp_path):
    flat = image(300, 300)
    flat[20:280, 20:280] = 1e-9
    save(tmp_path / "flat.gwy", flat)
    save(tmp_path / "good.gwy", image())
    assert [case.scan.name for case in sets.folder(tmp_path)] == ["good.gwy"]


def test_a_list_chooses_from_a_folder(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / f"{name}.gwy", image())
    assert [case.scan.name for case in sets.folder(tmp_path, ["b.gwy", "gone.gwy"])] == ["b.gwy"]


def test_folders_without_scans_are_errors(tmp_path):
    with pytest.raises(FileError, match="can be judged on"):
        sets.folder(tmp_path)
    with pytest.raises(FileError, match="no such folder"):
        sets.folder(tmp_path / "gone")


def test_the_centre_keeps_the_pixel_size():
    rows, columns = 300, 260
    data = np.add.outer(1000.0 * np.arange(rows), np.arange(columns))
    scan = Scan([Channel("Z", "m", data)], Geometry(columns, rows, 26e-9, 60e-9, angle_deg=30))
    middle = sets.centre(scan, scan.channel())
    assert middle.geometry.shape == (256, 256)
    assert middle.geometry.pixel_width == pytest.approx(0.1e-9)
    assert middle.geometry.pixel_height == pytest.approx(0.2e-9)
    assert middle.channel().data[0, 0] == 1000 * 22 + 2
    assert scan.channel().data.shape == (300, 260)  # the scan itself is as it was


def rows_of_dimers(size: int, period: float, seed: int) -> np.ndarray:
    """An 8-bit picture of dimer rows and the dimers in them, with noise."""
    y, x = np.mgrid[0:size, 0:size]
    rows, dimers = np.cos(2 * np.pi * x / period), np.cos(4 * np.pi * y / period)
    noise = np.random.default_rng(seed).standard_normal((size, size))
    return np.clip(128 + 50 * rows + 25 * dimers + 8 * noise, 0, 255).astype(np.uint8)


def test_real_images_are_made_coarse_to_five_pixels_a_dimer_row(tmp_path):
    """The fast axis is horizontal: columns are averaged, lines are dropped."""
    folder = tmp_path / "si100h" / "pristine"
    folder.mkdir(parents=True)
    (tmp_path / "si100h" / "validation_sessions.txt").write_text("day1\n\nday2\n")
    for k, name in enumerate(("day1_a", "day2_a", "day3_a")):
        Image.fromarray(rows_of_dimers(240, 40.0, k)).save(folder / f"{name}.png")
    found = sets.real(tmp_path)
    fine, medium, coarse = (found[f"real H:Si(100) {name}"] for name in ("fine", "medium", "coarse"))
    for cases in (fine, medium, coarse):
        assert [case.group for case in cases] == ["day1", "day2"]  # not day3
    assert [case.scan.channel().data.shape for case in (fine[0], medium[0], coarse[0])] == [
        (240, 240), (80, 80), (30, 30)
    ]  # fmt: skip
    for cases, factor in ((medium, 3), (coarse, 8)):
        np.testing.assert_array_equal(cases[0].scan.channel().data, sets.coarser(fine[0].scan.channel().data, factor))


def test_coarser_images_keep_lines_with_their_noise():
    image = np.random.default_rng(0).random((9, 11))
    small = sets.coarser(image, 3)
    assert small.shape == (3, 3)
    for row, column in ((0, 0), (1, 2), (2, 1)):
        assert small[row, column] == pytest.approx(image[3 * row + 1, 3 * column : 3 * column + 3].mean())
    np.testing.assert_array_equal(sets.coarser(image, 1), image)


@pytest.mark.real_data
def test_real_scans_of_other_surfaces_are_a_set_each(real_data):
    found = sets.real(real_data, 2)
    for surface in ("Cu(111)", "Au(111)", "Si(111)-7x7", "moire", "molecules", "graphite"):
        for case in found[f"real {surface}"]:
            channel = case.scan.channel()
            assert channel.measured.all()
            assert channel.why_not_restorable() is None
            assert max(channel.data.shape) <= 256


def test_real_sets_are_empty_where_there_is_no_data(tmp_path):
    assert sets.real(tmp_path) == {}
    (tmp_path / "si100h").mkdir()
    (tmp_path / "si100h" / "validation_sessions.txt").write_text("day1\n")
    assert sets.real(tmp_path) == {}
