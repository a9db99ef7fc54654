"""Reports: everything inside one HTML file, the PDF, the CSV, and two reports beside each other."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from stmviewer.evaluate.report import compare as comparing
from stmviewer.evaluate.report import wording
from stmviewer.evaluate.report.csv_rows import to_csv
from stmviewer.evaluate.report.html import coloured, page, png
from stmviewer.evaluate.report.pdf import Pages, write_pdf
from stmviewer.evaluate.report.plots import apart
from stmviewer.evaluate.report.text import text
from stmviewer.evaluate.report.wording import Cell, Table
from stmviewer.evaluate.study.result import Apart, Example, ImageSet, Mean, ModelFacts, Picture, Row, Study
from stmviewer.evaluate.study.summary import means
from stmviewer.scan import RequestError

NAN = float("nan")
NONE = (NAN, NAN)


def made(better: float = 0.1, images: int = 6, card: str = "# card") -> Study:
    """A study as `run` makes it, with cubic better than linear by `better` in SSIM, on every image."""
    rng = np.random.default_rng(0)
    rows = []
    for k, base in enumerate(rng.uniform(0.5, 0.8, images)):
        for method, gain in (("linear", 0.0), ("cubic <x>", better)):
            numbers = {
                "ssim": base + gain,
                "mae_pm": 5 - 10 * gain,
                "lattice": NAN,
                "seconds": 0.1 + 5 * gain,
                "within_1": 70.0,
            }
            rows.append(Row("lines:4", method, f"place{k}.sxm", f"place{k}", f"{k:064d}", numbers))
    grey = np.arange(48 * 40, dtype=np.uint8).reshape(48, 40)
    pictures = tuple(Picture(t, "SSIM 0.6", grey) for t in ("truth", "measured part", "linear", "cubic <x>"))
    spectrum = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, NAN, 0.3]
    return Study(
        question="Is it <b>good</b>?",
        request={"seed": 0, "samples": 1},
        made="2026-01-02T03:04:05+00:00",
        version="0.1.0",
        device="CPU",
        platform="Linux",
        seconds=12.0,
        sets=[ImageSet("pristine", "good", images, images, "ab" * 32, "48 × 40", "0.1 nm")],
        models=[ModelFacts("cubic <x>", "cubic", "MIT", "cd" * 32, "Splines", card)],
        baselines={"lines:4": "linear"},
        paired=["lines:4"],
        spaces={"clip": ["CMMD", "as defined"]},
        rows=rows,
        means=means(rows, "lines:4", "linear"),
        distances=[
            Apart("lines:4", m, "clip", v, (v - 0.1, v + 0.1), v - 0.05, images, images, g, NONE)
            for m, v, g in (("linear", 0.4, NAN), ("cubic <x>", 0.2, -0.2))
        ],
        spectra={"lines:4": {"linear": spectrum, "cubic <x>": spectrum}},
        notes=["This is a note"],
        examples=[Example("lines:4", which, "place0.sxm", "cubic <x>", pictures) for which in ("best", "worst")],
    )


class Links(HTMLParser):
    """Collects what a page would load, and checks that its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)
        self.loads += [str(v) for k, v in attrs if k in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_loads_nothing_and_everything_is_closed_and_escaped() -> None:
    text = page(made())
    links = Links()
    links.feed(text)
    assert links.open == []
    assert len(links.loads) == 2 + 8  # two figures, two strips of four
    assert all(link.startswith(("data:image/png;base64,", "data:image/svg+xml;base64,")) for link in links.loads)
    assert "http" not in text.replace("http-equiv", "")
    assert "Is it &lt;b&gt;good&lt;/b&gt;?" in text
    assert "cubic <x>" not in text
    assert "ab" * 16 in text
    assert "This is a note." in text
    assert "Card of cubic" in text
    assert "<script" not in text


def test_numbers_stand_with_their_intervals_and_the_best_is_bold() -> None:
    study = made()
    text = page(study)
    mean = study.mean("lines:4", "cubic <x>", "ssim")
    assert mean is not None
    interval = f"{mean.interval[0]:.3f} to {mean.interval[1]:.3f}"
    assert f'<td class="best">{mean.value:.3f}<small>{interval}</small></td>' in text
    assert "CMMD, unbiased" in text
    assert 'class="best">0.200<small>0.100 to 0.300</small>' in text


def test_pictures_are_kept_pixel_by_pixel() -> None:
    import base64

    from PIL import Image

    grey = np.random.default_rng(0).integers(0, 256, (33, 57), dtype=np.uint8)
    data = base64.b64decode(png(grey).partition(",")[2])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), coloured(grey))
    assert coloured(grey).shape == (33, 57, 3)
    dark, light = coloured(np.array([[0, 255]], dtype=np.uint8))[0].astype(int).sum(axis=1)
    assert light > dark + 300


def test_what_follows_is_said_with_its_certainty() -> None:
    (line,) = wording.in_short(made(0.1))
    assert "cubic <x> does best" in line
    assert "better by 0.100 to 0.100 (95 %), more than chance" in line
    (worse,) = wording.in_short(made(-0.1))
    assert "worse by 0.100 to 0.100 (95 %): by this measure none of these methods helps" in worse
    study = made()
    unsure = [replace(m, gain_interval=(-0.1, 0.2)) for m in study.means]
    assert "which may be chance" in wording.in_short(replace(study, means=unsure))[0]
    alone = [replace(m, gain_interval=NONE) for m in study.means]
    assert "one place alone" in wording.in_short(replace(study, means=alone))[0]


def test_few_places_prove_nothing() -> None:
    assert "from 3 places or sessions alone, too few" in wording.in_short(made(0.1, images=3))[0]
    found = comparing.compare(made(0.1, images=3), made(0.15, images=3), ("a", "b"))
    assert {c.verdict for c in found.changes} <= {"", "the same"}


def test_cells() -> None:
    assert wording.number(-0.0004, 3) == "0.000"
    assert wording.number(-0.5, 1) == "−0.5"
    assert wording.number(NAN, 2) == wording.span(NONE, 2) == ""
    table = Table("t", list("abcdefg"), [("m", [Cell(c) for c in "abcdefg"])])
    assert [len(b.head) for b in table.blocks(4)] == [4, 3]
    assert [c.text for b in table.blocks(4) for c in b.rows[0][1]] == list("abcdefg")


def test_coverage_near_nominal_is_the_best() -> None:
    measure = wording.BY_KEY["within_1"]
    assert wording.goodness(measure, 68.0) > wording.goodness(measure, 75.0) > wording.goodness(measure, 50.0)
    assert np.isnan(wording.goodness(wording.BY_KEY["residual_pm"], 3.0))


def test_the_pdf_has_pages_and_its_words(tmp_path: Path) -> None:
    path = tmp_path / "r.pdf"
    write_pdf(made(), path)
    data = path.read_bytes()
    assert data.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type /Page\b", data)) <= 8
    assert b"FontFile2" in data  # letters, not paths: can be searched


def test_the_pdf_has_every_pixel_of_the_examples() -> None:
    """Not resampled to the dots of a page: 40 x 48 pixels each, and the figures as they were drawn."""
    file = io.BytesIO()
    write_pdf(made(), file)
    widths, heights = (re.findall(rb"/%s (\d+)" % side, file.getvalue()) for side in (b"Width", b"Height"))
    sizes = [(int(w), int(h)) for w, h in zip(widths, heights, strict=True)]
    assert sizes.count((40, 48)) == 8
    assert max(sizes) > (1700, 300)


def test_words_below_an_image_stay_within_its_width() -> None:
    picture = Picture("compressed sensing", "Nearness to good set 0.534", np.zeros((48, 48), np.uint8))
    pages = Pages(None, "")  # type: ignore[arg-type]
    pages.strip(Example("lines:4", "best", "a", "b", (picture,) * 8))
    assert pages._page is not None
    boxes = [words.get_window_extent() for words in pages._page.texts]
    images = [axes.get_window_extent() for axes in pages._page.axes]
    for box in boxes:
        assert any(i.x0 - 1 <= box.x0 and box.x1 <= i.x1 + 8 and box.y1 < i.y0 for i in images)
    assert len({b.y0 for b in boxes}) > 2


def test_names_of_neighbours_are_moved_apart() -> None:
    assert apart([0.2, 0.5], 0.1) == [0.2, 0.5]
    assert apart([0.5, 0.5, 0.52], 0.1) == pytest.approx([0.5, 0.6, 0.7])
    assert apart([0.96, 0.98, 0.99], 0.1) == pytest.approx([0.8, 0.9, 1.0])
    assert apart([], 0.1) == []


def test_a_long_study_breaks_over_pages(tmp_path: Path) -> None:
    study = made()
    notes = [f"{k}: " + "words and words " * 40 for k in range(25)]
    short, long = io.BytesIO(), io.BytesIO()
    write_pdf(study, short)
    write_pdf(replace(study, notes=notes, examples=study.examples * 6), long)
    count = [len(re.findall(rb"/Type /Page\b", f.getvalue())) for f in (short, long)]
    assert count[1] > count[0] + 2


def test_the_csv_has_every_image() -> None:
    study = made()
    rows = list(csv.DictReader(io.StringIO(to_csv(study))))
    assert len(rows) == len(study.rows)
    assert "lattice" not in rows[0]  # nobody has it
    assert float(rows[1]["ssim"]) == study.rows[1].numbers["ssim"]
    assert (rows[1]["method"], rows[1]["image"]) == ("cubic <x>", "place0.sxm")


def test_the_terminal_has_tables_too() -> None:
    said = text(made())
    assert "| method | SSIM | MAE (pm) | Time per image (s) |" in said
    assert "- This is a note." in said
    assert "CMMD" in said


def test_two_reports_are_compared_image_by_image() -> None:
    found = comparing.compare(made(0.1), made(0.15), ("a", "b"))
    by = {(c.method, c.measure): c for c in found.changes}
    ssim = by["cubic <x>", "ssim"]
    assert ssim.difference == pytest.approx(0.05)
    assert ssim.interval == pytest.approx((0.05, 0.05))
    assert ssim.shared == 6
    assert ssim.verdict == "better"
    assert by["linear", "ssim"].verdict == "the same"
    assert by["cubic <x>", "mae_pm"].verdict == "better"  # less of it
    assert by["cubic <x>", "seconds"].verdict == "worse"
    assert "| cubic <x> | SSIM |" in comparing.table(found)
    html = comparing.page(found)
    assert "cubic &lt;x&gt;" in html
    assert '<td class="text better">better</td>' in html
    assert found.notes == []


def test_reports_of_other_images_have_no_interval_and_say_so() -> None:
    other = made(0.15)
    moved = [replace(r, sha256="f" * 64) for r in other.rows]
    sets = [replace(other.sets[0], sha256="0" * 64, folder="else")]
    models = [replace(other.models[0], sha256="0" * 64)]
    found = comparing.compare(made(0.1), replace(other, rows=moved, sets=sets, models=models, device="GPU"), ("a", "b"))
    change = next(c for c in found.changes if (c.method, c.measure) == ("cubic <x>", "ssim"))
    assert change.shared == 0
    assert np.isnan(change.interval[0])
    assert change.verdict == ""
    assert change.difference == pytest.approx(0.05)
    notes = " ".join(found.notes)
    for part in ("sets differ", "No image is in both", "other weights", "device differs: CPU in a, GPU in b"):
        assert part in notes


def test_reports_without_anything_in_common_are_refused() -> None:
    other = made()
    means_ = [Mean("lines:2", m.method, m.measure, m.value, m.interval, m.images, NAN, NONE) for m in other.means]
    with pytest.raises(RequestError, match="nothing to compare"):
        comparing.compare(made(), replace(other, means=means_), ("a", "b"))
