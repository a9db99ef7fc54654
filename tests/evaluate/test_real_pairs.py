"""Pairs of degraded and good images of one place, from a made folder of labelled images."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from stmviewer.evaluate import embedding, mmd, real_pairs, repair_real, repair_tables
from stmviewer.evaluate.landmarks import Count
from stmviewer.evaluate.repair_real import CEILING, INPUT, PERFECT, Repairs, period_of, score_pairs
from stmviewer.scan import FileError, Progress, RequestError

SIDE = 180


def place(seed: int) -> np.ndarray:
    y, x = np.mgrid[: SIDE + 40, : SIDE + 40]
    rng = np.random.default_rng(seed)
    spots = np.zeros((SIDE + 40, SIDE + 40))
    spots[rng.integers(0, SIDE + 40, 25), rng.integers(0, SIDE + 40, 25)] = 1
    return np.sin(2 * np.pi * (x + 0.5 * y) / 14) + 200 * gaussian_filter(spots, 3)


def scanned(image: np.ndarray, seed: int, row: int, column: int, noise: float = 0.15, blur: float = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    part = image[row : row + SIDE, column : column + SIDE]
    part = gaussian_filter(part, blur) if blur else part
    part = part + noise * rng.standard_normal(part.shape) + noise * rng.standard_normal((SIDE, 1))
    return np.clip(50 + 35 * part, 0, 255)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two sessions of two places each: two good images of each place, and a degraded one of the first."""
    root = tmp_path_factory.mktemp("real")
    rows = ["file,session,width_px,height_px,raters,asymmetries,individual_atoms,dimers,rows,tip_change,bad_blurry"]
    for session in range(3):
        name = f"2015Jan0{session + 1}-000000"
        for run in (1, 2):
            here = place(10 * session + run)
            shots = [("pristine", 1, 10, 12, 0.15, 0), ("pristine", 3, 14, 8, 0.15, 0)]
            if run == 1:
                shots.append(("double_tip", 2, 12, 15, 0.5, 1.5))
            for kind, number, row, column, noise, blur in shots:
                file = f"{kind}/{name}_s--{run}_{number}.png"
                path = root / "si100h" / file
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = scanned(here, 100 * session + 10 * run + number, row, column, noise, blur)
                Image.fromarray(pixels.astype(np.uint8)).save(path)
                rows.append(f"{file},{name},{SIDE},{SIDE},2,0,0,0,0,0,0")
    (root / "si100h" / "labels.csv").write_text("\n".join(rows) + "\n")
    (root / "si100h" / "validation_sessions.txt").write_text("2015Jan01-000000\n2015Jan02-000000\n")
    return root


@pytest.fixture(scope="module")
def pairing(data):
    return real_pairs.find_pairs(real_pairs.read_labelled(data), Progress())


def test_the_images_of_the_validation_sessions_are_read_with_their_places(data):
    images = real_pairs.read_labelled(data)
    assert len(images) == 10
    assert {i.session for i in images} == {"2015Jan01-000000", "2015Jan02-000000"}
    assert {i.place for i in images if i.kind == "double_tip"} == {"2015Jan01-000000 1", "2015Jan02-000000 1"}
    assert len(real_pairs.read_labelled(data, ["2015Jan03-000000"])) == 5


def test_folders_without_labels_are_errors(data, tmp_path):
    with pytest.raises(FileError, match="labelled images"):
        real_pairs.read_labelled(tmp_path)
    with pytest.raises(FileError, match="no image is of the sessions"):
        real_pairs.read_labelled(data, ["2019"])


def test_each_degraded_image_finds_its_place(pairing):
    assert len(pairing.pairs) == 2
    assert pairing.tested == 4
    assert pairing.null_pairs == 8
    for pair in pairing.pairs:
        assert pair.partner.kind == real_pairs.GOOD
        assert pair.partner.place == pair.degraded.place
        assert len(pair.others) == 1
        rows, columns = pair.good.window
        assert rows.stop - rows.start > 0.9 * SIDE
        assert columns.stop - columns.start > 0.9 * SIDE


def test_a_method_is_scored_against_the_good_image_between_input_and_ceiling(pairing):
    repairs = Repairs("cpu")
    found = {(p.method, p.kind): p for p in score_pairs(pairing, ["row-median"], repairs, Progress())}
    assert set(found) == {(m, k) for m in (INPUT, "row-median", CEILING) for k in ("all", "double_tip")}
    given, repaired, ceiling = (found[m, "all"] for m in (INPUT, "row-median", CEILING))
    assert given.pairs == repaired.pairs == ceiling.pairs == 2
    assert given.ssim < repaired.ssim < ceiling.ssim
    assert given.gain == 0
    assert repaired.gain == pytest.approx(repaired.ssim - given.ssim)
    assert repaired.gain_interval[0] <= repaired.gain <= repaired.gain_interval[1]
    assert given.psnr_db < ceiling.psnr_db
    assert ceiling.spots.recall > 0.8
    assert given.spots.there >= ceiling.spots.there >= 10  # on what all three images show


def test_the_period_of_the_rows_is_used_where_it_can_be_seen():
    y, x = np.mgrid[:200, :200]
    rows = np.sin(2 * np.pi * (x + 0.5 * y) / 14)
    assert period_of(rows) == pytest.approx(14 / np.hypot(1, 0.5), rel=0.05)
    assert period_of(np.zeros((100, 100))) == 20


def test_unknown_models_and_too_few_images_are_refused(data, pairing):
    with pytest.raises(RequestError, match="no model"):
        repair_real.check_models(["nonesuch"])
    with pytest.raises(RequestError, match="at least two"):
        repair_real.make_sets(real_pairs.read_labelled(data)[:3], 5, Progress())


def test_all_images_are_compared_with_the_good_ones_unless_fewer_are_asked_for(data):
    images = real_pairs.read_labelled(data)
    sets = repair_real.make_sets(images, None, Progress())
    assert len(sets.degraded) == 2
    assert len(sets.reference) == 8
    found = {(u.method, u.kind): u for u in repair_real.score_sets(sets, ["row-median"], Repairs("cpu"), Progress())}
    assert set(found) == {(m, k) for m in (INPUT, "row-median") for k in ("all", "double_tip")}
    for method in (INPUT, "row-median"):  # all are of one kind
        assert found[method, "all"].distance == found[method, "double_tip"].distance
    assert found[INPUT, "all"].part_left == 1
    repaired = found["row-median", "all"]
    assert repaired.part_left == pytest.approx(repaired.distance / found[INPUT, "all"].distance)
    more = [*images, *real_pairs.read_labelled(data, ["2015Jan03-000000"])]
    fewer = repair_real.make_sets(more, 2, Progress())
    assert (len(fewer.degraded), len(fewer.reference)) == (2, 6)


def test_good_images_of_the_same_places_tell_what_a_perfect_repair_would_reach(data):
    images = real_pairs.read_labelled(data)
    pairs = real_pairs.find_pairs(images, Progress()).pairs
    sets = repair_real.make_sets(images, None, Progress())
    of_pairs = sets.of_pairs(pairs)
    assert (len(of_pairs.degraded), len(of_pairs.perfect), len(of_pairs.reference)) == (2, 2, 6)
    assert not {i.scan.name for i in of_pairs.good} & {p.partner.scan.name for p in pairs}
    rows = repair_real.score_sets(of_pairs, ["row-median"], Repairs("cpu"), Progress())
    found = {u.method: u for u in rows if u.kind == "all"}
    assert list(found) == [INPUT, "row-median", PERFECT]
    assert found[PERFECT].images == 2
    # the degraded images are blurred and noisy, the good ones of their places are not
    assert found[PERFECT].distance < 0.5 * found[INPUT].distance
    assert found[PERFECT].part_left == pytest.approx(found[PERFECT].distance / found[INPUT].distance)
    assert repair_real.score_sets(sets.of_pairs([]), ["row-median"], Repairs("cpu"), Progress()) == []


def test_a_good_image_of_two_degraded_ones_counts_twice_and_is_not_compared_with_itself(data):
    images = real_pairs.read_labelled(data)
    good = [i for i in images if i.kind == real_pairs.GOOD]
    degraded = [i for i in images if i.kind != real_pairs.GOOD]
    left = embedding.embed([i.data for i in good[2:]], [i.place for i in good[2:]], Progress())
    twice = repair_real.Sets((*degraded, degraded[0]), tuple(good[2:]), left, (good[0], good[1], good[0]))
    rows = repair_real.score_sets(twice, [], Repairs("cpu"), Progress())
    of_good = next(u.distance for u in rows if (u.method, u.kind) == (PERFECT, "all"))
    x = embedding.embed([i.data for i in (good[0], good[1])], ["a", "b"], Progress()).features
    k = mmd.kernels(x, left.features, embedding.SIGMA)
    count = len(left)
    within = k.xx[0, 1] + (k.yy.sum() - np.trace(k.yy)) / (count * (count - 1))
    assert of_good == pytest.approx(1000 * (within - 2 * (2 * k.xy[0].mean() + k.xy[1].mean()) / 3))


def test_halves_of_good_images_of_other_places_are_the_further_apart_the_more_the_places_differ():
    rng = np.random.default_rng(0)
    groups = tuple(f"place {k // 5}" for k in range(20))
    alike = rng.standard_normal((20, 8))
    alike /= np.linalg.norm(alike, axis=1, keepdims=True)
    apart = alike + np.repeat(rng.standard_normal((4, 8)), 5, axis=0)
    apart /= np.linalg.norm(apart, axis=1, keepdims=True)
    low = repair_real.other_places(embedding.Embedded(alike, groups))
    high = repair_real.other_places(embedding.Embedded(apart, groups))
    assert high[0] > max(low[0], 0) + 50
    assert high[1] <= high[0] <= high[2]
    assert np.isnan(repair_real.other_places(embedding.Embedded(alike, ("one",) * 20))).all()


def test_the_table_says_what_was_compared():
    def unpaired(method, kind, images, distance, interval, part, part_interval, good):
        shares = {"good": good, "double": 1 - good, "change": 0, "blurry": 0}
        return repair_real.Unpaired(method, kind, images, distance, interval, part, part_interval, shares, 0.3)

    report = repair_real.RepairReport(
        paired=(
            repair_real.Paired(
                INPUT, "all", 2, 0.5, (0.4, 0.6), 0.0, (0.0, 0.0), 20.0, Count(10, 5, 2), Count()
            ),
            repair_real.Paired(
                "tv", "all", 2, 0.55, (0.5, 0.6), 0.05, (-0.01, 0.1), 20.0, Count(10, 5, 2), Count()
            ),
            repair_real.Paired(
                INPUT, "double_tip", 2, 0.5, (0.4, 0.6), 0.0, (0.0, 0.0), 20.0, Count(10, 5, 2), Count()
            ),
        ),
        unpaired=(
            unpaired(INPUT, "all", 4, 30.0, (20.0, 40.0), 1.0, (1.0, 1.0), 0.25),
            unpaired(INPUT, "double_tip", 2, 30.0, (-20.0, 40.0), 1.0, (1.0, 1.0), 0.25),
            unpaired(INPUT, "blurry", 2, 60.0, (20.0, 90.0), 1.0, (1.0, 1.0), 0.0),
            unpaired("tv", "all", 4, 15.0, (10.0, 20.0), 0.5, (0.4, 0.6), 0.5),
            unpaired("tv", "double_tip", 2, 15.0, (-10.0, 20.0), 0.5, (0.4, 0.6), 0.5),
            unpaired("tv", "blurry", 2, 30.0, (10.0, 40.0), 0.5, (0.4, 0.6), 0.5),
        ),
        same_places=(
            unpaired(INPUT, "all", 2, 20.0, (10.0, 40.0), 1.0, (1.0, 1.0), 0.5),
            unpaired("tv", "all", 2, 30.0, (20.0, 50.0), 1.5, (1.2, 2.0), 0.5),
            unpaired(PERFECT, "all", 2, 14.0, (-5.0, 40.0), 0.7, (-0.3, 1.5), 1.0),
        ),
        threshold=11.5, tested=40, places=2, good=12, good_left=10, other_places=(46.0, 13.0, 103.0),
    )  # fmt: skip
    text = repair_tables.table(report)
    assert "the 2 degraded images of the pairs" in text
    assert "to the 10 good images that are in no pair" in text
    assert "| tv | 30 (20 to 50) | 1.50 (1.20 to 2.00) | 50 % | 50 % | 0 % | 0 % | 0.30 |" in text
    assert "| a good image of the place | 14 (-5 to 40) | 0.70 (-0.30 to 1.50) | 100 % | 0 % |" in text
    assert "Pairs by kind" not in text  # no kind has two pairs
    assert "| input | 0.500 (0.400 to 0.600) |  | 20.0 | 50 % of 10 | 20 % of 10 | none | none |" in text
    assert "| tv | 0.550 (0.500 to 0.600) | +0.050 (-0.010 to +0.100) | 20.0 |" in text
    assert "| input | 0.500 (2) |" in text
    assert "to 12 good images (two halves of these that show different places: 46, 13 to 103)" in text
    assert "| input | 30 (20 to 40) |  | 25 % | 75 % | 0 % | 0 % | 0.30 |" in text
    assert "| tv | 15 (10 to 20) | 0.50 (0.40 to 0.60) | 50 % | 50 % | 0 % | 0 % | 0.30 |" in text
    assert "| method | double_tip, 2 | blurry, 2 |" in text
    # a part of what may as well be nothing says nothing
    assert "| tv | 15 (-10 to 20); 50 % | 30 (10 to 40); 0.50 (0.40 to 0.60); 50 % |" in text
    assert "CMMD" not in text


@pytest.mark.real_data
def test_real_scans_of_one_place_are_found(real_data):
    """A series of one session, where double-tip and good images follow each other with little drift."""
    images = real_pairs.read_labelled(real_data)
    one = [i for i in images if i.place == "2015Oct21-110741 20"]
    others = [i for i in images if i.session == "2015Sep22-093111" and i.data.shape == (300, 300)][::4]
    found = real_pairs.find_pairs([*one, *others], Progress())
    names = {p.degraded.scan.name for p in found.pairs}
    assert "2015Oct21-110741_s--20_23.png" in names
    assert found.null_pairs >= 20
    for pair in found.pairs:
        assert pair.good.image.shape == tuple(s.stop - s.start for s in pair.good.window)
