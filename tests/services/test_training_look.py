"""A look at a folder before training: what can be used, what shows the same place, what is kept aside."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import save_scan
from stmviewer.scan import Cancelled, Channel, FileError, Geometry, Progress, Scan
from stmviewer.services.jobs import Context
from stmviewer.services.training import TrainingRequest
from stmviewer.services.training_look import LookedScan, joined, look, session_of, suggest_split, summary
from stmviewer.services.training_places import LinkFinder, Seen, overlap
from stmviewer.services.training_preview import pairs_job
from stmviewer.train.folder import read_folder

SIDE = 100


def image(seed: int, side: int = SIDE) -> np.ndarray:
    """Dimer rows with defects of their own: the same seed is the same place."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side]
    data = 2e-11 * np.sin(x / 1.5) + 1e-12 * rng.standard_normal((side, side))
    for row, column in rng.integers(8, side - 8, (12, 2)):
        data += 1e-10 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 18)
    return data


def write(path: Path, data: np.ndarray, geometry: Geometry | None = None) -> Path:
    rows, columns = data.shape
    frame = geometry or Geometry(rows, columns, columns * 1e-10, rows * 1e-10)
    save_scan(Scan([Channel("Z", "m", data)], frame), path)
    return path


def test_what_cannot_be_used_is_told_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path / "good_1.gwy", image(0))
    write(tmp_path / "small_1.gwy", image(0, 40))
    write(tmp_path / "flat_1.gwy", np.zeros((SIDE, SIDE)))
    holes = image(1)
    holes[3:6] = np.nan
    write(tmp_path / "holes_1.gwy", holes)
    (tmp_path / "broken.sxm").write_bytes(b"rubbish")
    found = look(tmp_path, Progress())
    assert [s.name for s in found.usable] == ["good_1.gwy"]
    reasons = {s.name: s.reason for s in found.rejected}
    assert "smaller than 96" in reasons["small_1.gwy"]
    assert "same value" in reasons["flat_1.gwy"]
    assert "not measured" in reasons["holes_1.gwy"]
    assert reasons["broken.sxm"]
    assert summary(found) == "1 scan of 1 session, 100 × 100 pixels, 0.1 nm per pixel; 4 cannot be used"
    assert found.aside == frozenset() and "too few" in found.split_by


def test_scans_of_another_unit_and_sessions_for_judging_are_left_out(tmp_path: Path) -> None:
    """As the training leaves them out: what the panel counts is what is trained on."""
    for k in range(3):
        write(tmp_path / f"a_{k}.gwy", image(k))
    write(tmp_path / "judge_1.gwy", image(3))
    current = Scan([Channel("I", "A", image(4))], Geometry(SIDE, SIDE, 1e-8, 1e-8))
    save_scan(current, tmp_path / "current_1.gwy")
    np.save(tmp_path / "plain_1.npy", image(5))
    (tmp_path / "validation_sessions.txt").write_text("judge\n")
    found = look(tmp_path, Progress())
    assert [s.name for s in found.usable] == ["a_0.gwy", "a_1.gwy", "a_2.gwy"]
    reasons = {s.name: s.reason for s in found.rejected}
    assert reasons == {
        "current_1.gwy": "in A, where most scans of the folder are in m",
        "judge_1.gwy": "of a session that models are judged by (validation_sessions.txt)",
        "plain_1.npy": "without a unit, where most scans of the folder are in m",
    }
    trained = read_folder(tmp_path, 96, None, Progress(), training=True)
    assert {p.name for p in trained.paths} == {s.name for s in found.usable}
    assert {r.path.name: r.reason for r in trained.rejected} == reasons


def test_a_folder_of_small_scans_is_trained_on_in_smaller_pieces(tmp_path: Path) -> None:
    for k in range(2):
        write(tmp_path / f"small_{k}.gwy", image(k, 72))
    write(tmp_path / "tiny_1.gwy", image(3, 40))
    found = look(tmp_path, Progress())
    assert [s.name for s in found.usable] == ["small_0.gwy", "small_1.gwy"] and found.crop == 32
    assert [s.reason for s in found.rejected] == ["smaller than 64 pixels a side"]
    assert len(read_folder(tmp_path, found.crop + 32, None, Progress(), training=True)) == 2
    words = TrainingRequest(str(tmp_path), "mylab", crop=found.crop).arguments(tmp_path)
    assert words[words.index("--crop") + 1] == "32"
    write(tmp_path / "large_1.gwy", image(4))
    found = look(tmp_path, Progress())
    assert [s.name for s in found.usable] == ["large_1.gwy"] and found.crop == 64
    assert [s.reason for s in found.rejected] == 3 * ["smaller than 96 pixels a side"]


def test_nothing_can_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such folder"):
        look(tmp_path / "nowhere", Progress())
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(FileError, match="no scan"):
        look(tmp_path, Progress())
    write(tmp_path / "flat.gwy", np.zeros((SIDE, SIDE)))
    found = look(tmp_path, Progress())
    assert not found.usable and summary(found) == "None of 1 files can be used"


def test_a_look_can_be_cancelled(tmp_path: Path) -> None:
    import threading

    write(tmp_path / "good_1.gwy", image(0))
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        look(tmp_path, Progress(lambda _: None, stop))


def test_the_same_place_is_found_and_kept_together(tmp_path: Path) -> None:
    """Session a scans one place twice with drift, a copy lies beside; sessions b and c are other places."""
    first = image(5, 130)
    write(tmp_path / "a_1.gwy", first[:SIDE, :SIDE], Geometry.of_pixels(SIDE, SIDE))
    write(tmp_path / "a_2.gwy", first[4 : SIDE + 4, 6 : SIDE + 6], Geometry.of_pixels(SIDE, SIDE))
    write(tmp_path / "a_3.gwy", image(77), Geometry.of_pixels(SIDE, SIDE))
    write(tmp_path / "a_4.gwy", first[:SIDE, :SIDE], Geometry.of_pixels(SIDE, SIDE))
    for k in range(2):
        write(tmp_path / f"b_{k}.gwy", image(20 + k), Geometry.of_pixels(SIDE, SIDE))
        write(tmp_path / f"c_{k}.gwy", image(30 + k), Geometry.of_pixels(SIDE, SIDE))
    found = {s.name: s for s in look(tmp_path, Progress()).scans}
    assert found["a_1.gwy"].place == found["a_2.gwy"].place > 0
    assert found["a_2.gwy"].place_by == "looks the same"
    assert found["a_4.gwy"].copy_of == "a_1.gwy"
    assert {found[n].place for n in ("a_3.gwy", "b_0.gwy", "b_1.gwy", "c_0.gwy", "c_1.gwy")} == {0}
    assert {s.session for s in found.values()} == {"a", "b", "c"}


def geometry(x: float, y: float, side: float = 10e-9, angle: float = 0.0) -> Geometry:
    return Geometry(SIDE, SIDE, side, side, angle_deg=angle, centre=(x, y))


def test_frames_that_overlap_are_one_place() -> None:
    assert overlap(geometry(1e-7, 0), geometry(1e-7, 0)) == pytest.approx(1)
    assert overlap(geometry(1e-7, 0), geometry(1.05e-7, 0)) == pytest.approx(0.5)
    assert overlap(geometry(1e-7, 0), geometry(1e-7, 0, 5e-9)) == pytest.approx(1)
    assert overlap(geometry(1e-7, 0), geometry(2e-7, 0)) == 0
    assert overlap(geometry(1e-7, 0), geometry(1e-7, 0, angle=90)) == 0
    assert overlap(geometry(0, 0), geometry(0, 0)) == 0  # nobody says where they lie
    assert overlap(geometry(1e-7, 0, angle=90), geometry(1e-7, 5e-9, angle=90)) == pytest.approx(0.5)
    places = LinkFinder()
    for name, where in (("one", 1e-7), ("two", 1.02e-7), ("three", 5e-7)):
        places.add(Seen.of(name, "s", geometry(where, 0), image(len(name) + int(1e9 * where))))
    assert [(x.first, x.second, x.how) for x in places.links] == [("one", "two", "frame")]


@pytest.mark.parametrize(
    ("stem", "session"),
    [
        ("2014Nov21-173705_s--10_8", "2014Nov21-173705_s"),
        ("cu_017", "cu"),
        ("cu-3 (4)", "cu-3 (4)"),
        ("20250320_191933", "20250320"),
        ("0012", "numbered scans"),
        ("mica", "mica"),
    ],
)
def test_a_session_is_what_a_name_begins_with(stem: str, session: str) -> None:
    assert session_of(stem) == session


def scans(sessions: Sequence[tuple[str, int]], places: Sequence[tuple[str, str]] = ()) -> list[LookedScan]:
    names = [(f"{s}{k}", s) for s, count in sessions for k in range(count)]
    numbers = {name: k for k, pair in enumerate(places, 1) for name in pair}
    return [LookedScan(n, Path(n), s, place=numbers.get(n, 0)) for n, s in names]


def test_whole_sessions_are_kept_aside() -> None:
    aside, said = suggest_split(scans([("a", 10), ("b", 3), ("c", 5), ("d", 2)]))
    assert aside == {"d0", "d1"} and said == "1 of 4 sessions kept aside as a whole"
    aside, _ = suggest_split(scans([("a", 10), ("b", 3), ("c", 5), ("d", 2)], [("d0", "a0")]))
    assert aside == {"b0", "b1", "b2"}  # d shows a place of a, and stays with it


def test_of_one_session_whole_places_are_kept_aside() -> None:
    aside, said = suggest_split(scans([("a", 10)], [("a0", "a1"), ("a2", "a3")]))
    assert len(aside) == 2 and "one session" in said and not aside & {"a0", "a1", "a2", "a3"}
    everything_one_place = [LookedScan(f"a{k}", Path("x"), "a", place=1) for k in range(8)]
    aside, said = suggest_split(everything_one_place)
    assert not aside and "one place" in said


def test_names_are_joined_by_their_pairs() -> None:
    assert sorted(map(sorted, joined("abcde", [("a", "b"), ("d", "b")]))) == [["a", "b", "d"], ["c"], ["e"]]


def test_pairs_are_made_as_a_training_makes_them(tmp_path: Path) -> None:
    write(tmp_path / "good_1.gwy", image(0))
    context = Context(Progress(), lambda _: None)
    request = TrainingRequest(str(tmp_path), "mylab", task="sparse", trained=("good_1.gwy",))
    pairs = pairs_job(request, 0, count=2)(context)
    assert [p.task for p in pairs] == ["sparse", "sparse"]
    assert all(p.given.shape == p.wanted.shape == (64, 64) and not p.measured.all() for p in pairs)
    same = pairs_job(request, 0, count=2)(context)
    assert np.array_equal(pairs[1].given, same[1].given)
    repairs = pairs_job(replace(request, task="repair"), 1, count=1)(context)
    assert repairs[0].task == "repair" and repairs[0].measured.all()
    with pytest.raises(FileError):
        pairs_job(replace(request, trained=("gone.gwy",)), 0)(context)


@pytest.mark.real_data
def test_real_scans_are_looked_at(real_data: Path) -> None:
    found = look(real_data / "scans", Progress())
    reasons = {s.path.name: s.reason for s in found.rejected}
    assert "never ran" in reasons["empty.sxm"]
    assert "constant" in reasons["Image_445.sxm"]
    assert len(found.usable) >= 10
    assert {s.session for s in found.usable} >= {"ethz-matlab_nanonis", "pyspm"}
    assert found.aside and not found.aside & {s.name for s in found.rejected}
