"""Sampling patterns in words."""

import pytest

from stmviewer.gui.mask_words import mask_words


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("lines:2", "every 2nd line"),
        ("lines:4", "every 4th line"),
        ("lines:11", "every 11th line"),
        ("lines:21", "every 21st line"),
        ("lines:1", "every pixel"),
        ("grid:3", "grid of every 3rd pixel"),
        ("grid-jitter:4", "jittered grid of every 4th pixel"),
        ("pixels:0.25", "random pixels, 25 %"),
        ("lines-random:0.125", "random lines, 12.5 %"),
        ("spiral:0.2", "spiral, 20 %"),
        ("file", "the file's own gaps"),
        ("mask.npz", "mask.npz"),
        ("as measured", "as measured"),
        ("", ""),
    ],
)
def test_a_pattern_in_words(pattern: str, words: str) -> None:
    assert mask_words(pattern) == words
