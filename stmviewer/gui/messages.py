"""What the info bars say about a scan and its restoration."""

from collections.abc import Callable

from stmviewer.files.calibration import lacks_size
from stmviewer.gui.info_bar import InfoArea
from stmviewer.gui.shown import Restored, Shown
from stmviewer.gui.trust import bar_warnings


def tell_scan(
    area: InfoArea,
    shown: Shown | None,
    take_offer: Callable[[], None],
    ask_calibration: Callable[[], None],
    *,
    wanted: bool = True,
) -> None:
    """Notes about the file, with a button where its size is not known, and, if `wanted`, the offer to fill what was
    not measured."""
    for topic in ("notes", "offer"):
        area.dismiss(topic)
    if shown is None:
        return
    if shown.scan.notes:
        mend: tuple[str, Callable[[], None]] | None = None
        if shown.scan.calibration is not None:
            mend = ("Change…", ask_calibration)
        elif lacks_size(shown.scan):
            mend = ("Set size and unit…", ask_calibration)
        area.show_message("notes", "note", sentence("; ".join(shown.scan.notes)), mend)
    offer = shown.offer() if wanted else None
    if offer:
        button = "Restore onto square pixels" if shown.line_sparse else "Fill the gaps"
        area.show_message("offer", "offer", offer, (button, take_offer))


def tell_result(area: InfoArea, restored: Restored | None) -> None:
    """What was invented or lost, and what no line beside the result says; all other findings stand there."""
    area.dismiss("warnings")
    warnings = bar_warnings(restored.restoration) if restored is not None else []
    if warnings:
        area.show_message("warnings", "note", sentence("; ".join(warnings)))


def sentence(text: str) -> str:
    """`text` with a capital at its start."""
    return text[:1].upper() + text[1:]
