"""Pictures of what the view shows, exactly as it is seen, and the menu of a pane."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu

from stmviewer.gui.colours import Kind
from stmviewer.gui.header import channel_label, facts
from stmviewer.gui.looks import PaneName
from stmviewer.gui.panes.figure import copy, figure_of

if TYPE_CHECKING:
    from stmviewer.gui.scan_view import ScanView


def figure(view: "ScanView") -> QImage | None:
    """All panes with their colour bars; None while no scan is shown."""
    shown = view.looks.shown
    if shown is None:
        return None
    channel = shown.channel
    heading = [shown.scan.name, channel_label(channel), channel.direction, *facts(shown.scan)]
    return _figure(view, "  ·  ".join(heading), view.placed())


def pane_figure(view: "ScanView", name: PaneName | None = None) -> QImage | None:
    """One pane with its colour bar; by default the one that the cursor was in last."""
    return _figure(view, "", [name or view.active]) if view.looks.shown is not None else None


def _figure(view: "ScanView", heading: str, names: Sequence[PaneName]) -> QImage:
    view.leave()  # the cross-hair belongs to the screen
    kinds = dict.fromkeys(_kind(name) for name in names if name != "mask")
    bars = [view.legend.bars[kind] for kind in kinds if not view.legend.bars[kind].isHidden()]
    return figure_of(heading, [view.panes[name] for name in names], bars)


def pane_menu(view: "ScanView", name: PaneName) -> QMenu:
    """What can be done with a pane."""
    menu = QMenu(view)
    menu.addAction("Copy this pane", lambda: copy(pane_figure(view, name)))
    menu.addAction("Copy figure", lambda: copy(figure(view)))
    menu.addAction("Whole image", view.links.reset)
    menu.addSeparator()
    if name in ("restored", "compare") and view.looks.restored is not None:
        view.fill_candidates()
        menu.addMenu(view.candidate_menu.tries)
    menu.addAction("Keep to compare with other scans", view.pin)
    hide = menu.addAction("Hide this pane", lambda: view.set_pane_visible(name, False))
    hide.setEnabled(len(view.placed()) > 1)
    return menu


def _kind(name: PaneName) -> Kind:
    return name if name in ("difference", "deviation") else "heights"
