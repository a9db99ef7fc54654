"""Titles of models and methods, and what is said of them in sentences."""

import pytest

from stmviewer.restore import in_titles, library, title
from stmviewer.restore.choice import CLASSICAL_CANDIDATES, SCATTERED_CANDIDATES


def test_every_model_has_a_title_of_its_own() -> None:
    infos = library.model_infos()
    titles = [info.title for info in infos]
    assert len(set(titles)) == len(titles)
    for info in infos:
        assert info.title != info.name and info.title[0].isupper(), info.name
        assert "regression" not in info.title.lower() and "cfm" not in info.title


def test_the_users_own_models_keep_what_the_user_called_them() -> None:
    assert title("regression-mylab") == "Network · mylab"
    assert title("flow") == "Texture network"
    assert title("mylab") == "mylab"


@pytest.mark.parametrize(
    "name", [*CLASSICAL_CANDIDATES, *SCATTERED_CANDIDATES, "dimer-rows", "unit-cell", "regression-si100h"]
)
def test_names_in_sentences_become_titles(name: str) -> None:
    said = f"Shown is a mixture, 60 % {name}, 40 % flow-sim; on hidden pixels {name} is better than {name}: 2 pm"
    told = f"Shown is a mixture, 60 % “{title(name)}”, 40 % “Texture network · simulated”; on hidden pixels "
    assert in_titles(said) == f"{told}“{title(name)}” is better than “{title(name)}”: 2 pm"


def test_words_that_are_no_names_stay() -> None:
    for text in ("linear interpolation by 13.6 pm", "a template, automatic, cs-dctx", "every 4th line", ""):
        assert in_titles(text) == text
    text = "it shows the dimer rows of Si(001), which the networks know"
    assert in_titles(text) == text
    assert in_titles("against 3 pm; model auto decides by that") == "against 3 pm; “Automatic” decides by that"
