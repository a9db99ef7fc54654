import json

from stmviewer.restore import ModelInfo
from stmviewer.train.card import write_card

INFO = ModelInfo("regression-lab", "regression", "lab", "Most accurate", ("repair", "sparse"), learned=True)


def card(folder, *lines) -> str:
    log = folder / "log.jsonl"
    log.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    write_card(folder / "card.md", INFO, {"Kind": "regression", "Licence": "MIT"}, log)
    return (folder / "card.md").read_text()


def validation(minutes: float, step: int, **values: float) -> dict:
    return {"kind": "validation", "step": step, "seconds": 60 * minutes, **values}


def test_a_card_has_facts_and_the_curve(tmp_path):
    text = card(
        tmp_path,
        {"kind": "train", "step": 1, "seconds": 1, "loss": 0.3},
        validation(1, 10, **{"own repair model": 0.5, "own repair start": 0.4}),
        validation(2.5, 20, **{"own repair model": 0.625, "own repair start": 0.4}),
    )
    assert text.startswith("# regression-lab\n\nMost accurate.\n")
    assert "- Licence: MIT\n" in text
    assert "| minutes | step | own repair |\n|---|---|---|\n" in text
    assert "| 1.0 | 10 | 0.500 (0.400) |\n| 2.5 | 20 | 0.625 (0.400) |\n" in text


def test_a_training_without_validation_says_so(tmp_path):
    assert "None was reached." in card(tmp_path, {"kind": "train", "step": 1, "seconds": 1})


def test_sets_that_come_or_go_when_a_training_is_resumed(tmp_path):
    text = card(
        tmp_path,
        validation(1, 10, **{"own model": 0.5, "own start": 0.4, "real model": 0.7, "real start": 0.6}),
        validation(2, 20, **{"own model": 0.6, "own start": 0.4}),
        validation(3, 30, **{"new model": 0.8, "new start": 0.1}),
    )
    assert "| minutes | step | new | own | kept aside |" in text
    assert "| 1.0 | 10 |  | 0.500 (0.400) | 0.700 (0.600) |" in text
    assert "| 3.0 | 30 | 0.800 (0.100) |  |  |" in text


def test_a_line_that_a_power_cut_shortened_costs_no_card(tmp_path):
    text = card(
        tmp_path,
        validation(1, 10, **{"own model": 0.5, "own start": 0.4}),
        '{"kind": "valida\n',
        "\0\0\0\n",
        validation(2, 20, **{"own model": 0.6, "own start": 0.4}),
    )
    assert "| 2.0 | 20 | 0.600 (0.400) |" in text
