"""Light and dark: one style (Fusion) with palettes of our own, so that every system looks the same."""

from dataclasses import dataclass
from typing import Literal, get_args

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette, QStyleHints
from PySide6.QtWidgets import QApplication

from stmviewer import paths

ThemeChoice = Literal["system", "light", "dark"]
THEME_CHOICES: tuple[ThemeChoice, ...] = get_args(ThemeChoice)

_ROLES = ("window", "base", "alternate", "text", "button", "line", "placeholder", "highlight", "highlighted")
_LIGHT = ("#f4f4f2", "#ffffff", "#eeeeeb", "#1d1f22", "#fbfbfa", "#c6c7c5", "#75787c", "#2f6f9f", "#ffffff")
_DARK = ("#1f2124", "#292c30", "#25282b", "#e4e5e6", "#2f3337", "#4a4e53", "#8d9196", "#4b93c4", "#0d1114")


@dataclass(frozen=True)
class Tones:
    """Colours beside the palette's own; each text colour is readable on the ground of its name."""

    canvas: QColor
    gap: QColor
    gap_lines: QColor
    line: QColor
    quiet: QColor
    note: QColor
    note_text: QColor
    error: QColor
    error_text: QColor
    offer: QColor
    offer_text: QColor
    primary: QColor
    primary_text: QColor
    tint: QColor
    ok: QColor
    look: QColor
    unknown: QColor


def _tones(*values: str) -> Tones:
    return Tones(*map(QColor, values))


# fmt: off
_LIGHT_TONES = _tones(
    "#e9e9e6", "#d3d5d6", "#b9bcbe", "#c6c7c5", "#5d6166", "#fbf0c9", "#4c3c05",
    "#f9dcd8", "#6d1712", "#dce9f3", "#163c58", "#2f6f9f", "#ffffff",
    "#00b4c8", "#2c8a4b", "#c77700", "#7d8287",
)
_DARK_TONES = _tones(
    "#17191b", "#3b3f43", "#565b60", "#4a4e53", "#a2a6ab", "#453b16", "#f5e3a3",
    "#552420", "#ffd3cd", "#1f3a4f", "#cfe4f4", "#3c86b8", "#ffffff",
    "#00b4c8", "#5cc27e", "#f0a63c", "#9aa0a6",
)
# fmt: on


def is_dark(palette: QPalette) -> bool:
    return palette.window().color().lightness() < 128


def tones(palette: QPalette) -> Tones:
    """The colours that go with a palette."""
    return _DARK_TONES if is_dark(palette) else _LIGHT_TONES


def hints_of(app: QApplication) -> QStyleHints:
    """What the desktop says of light and dark."""
    return app.styleHints()


def apply_theme(app: QApplication, choice: ThemeChoice) -> None:
    """Dresses the application; `system` follows the desktop now, call again when it changes."""
    hints = hints_of(app)
    # asks the platform too, where it can: title bars and file dialogs
    if choice == "system":
        hints.unsetColorScheme()
        dark = hints.colorScheme() == Qt.ColorScheme.Dark
    else:
        dark = choice == "dark"
        hints.setColorScheme(Qt.ColorScheme.Dark if dark else Qt.ColorScheme.Light)
    if app.style().name().lower() != "fusion":
        app.setStyle("Fusion")
    palette = _palette(_DARK if dark else _LIGHT)
    app.setPalette(palette)
    app.setStyleSheet(_style_sheet(tones(palette), palette.base().color()))


def _palette(values: tuple[str, ...]) -> QPalette:
    colour = {role: QColor(value) for role, value in zip(_ROLES, values, strict=True)}
    palette = QPalette(colour["button"], colour["window"])  # Qt derives bevels and shadows from these two
    roles = QPalette.ColorRole
    for role, name in (
        (roles.Window, "window"),
        (roles.WindowText, "text"),
        (roles.Base, "base"),
        (roles.AlternateBase, "alternate"),
        (roles.Text, "text"),
        (roles.Button, "button"),
        (roles.ButtonText, "text"),
        (roles.ToolTipBase, "base"),
        (roles.ToolTipText, "text"),
        (roles.PlaceholderText, "placeholder"),
        (roles.Highlight, "highlight"),
        (roles.HighlightedText, "highlighted"),
        (roles.Accent, "highlight"),
        (roles.Link, "highlight"),
    ):
        palette.setColor(role, colour[name])
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, colour["placeholder"])
    return palette


def _style_sheet(colours: Tones, base: QColor) -> str:
    grounds = {
        "note": (colours.note, colours.note_text),
        "error": (colours.error, colours.error_text),
        "offer": (colours.offer, colours.offer_text),
    }
    bars = "".join(
        f"""
    QFrame#{kind} {{ background: {ground.name()}; }}
    QFrame#{kind} QLabel {{ color: {text.name()}; }}
    QFrame#{kind} QToolButton {{ color: {text.name()}; border: none; background: transparent; padding: 2px 6px; }}"""
        for kind, (ground, text) in grounds.items()
    )
    check, clear = ((paths.resources() / "icons" / f"{name}.svg").as_posix() for name in ("check", "clear"))
    # Fusion outlines indicators darker than the window: on a dark one they cannot be seen
    return f"""{bars}
    QRadioButton::indicator, QCheckBox::indicator, QListView::indicator {{ width: 13px; height: 13px;
        border: 1px solid {colours.quiet.name()}; background: {base.name()}; }}
    QRadioButton::indicator {{ border-radius: 7px; }}
    QCheckBox::indicator, QListView::indicator {{ border-radius: 3px; }}
    QRadioButton::indicator:checked {{ border-color: {colours.primary.name()};
        background: qradialgradient(cx:0.5, cy:0.5, radius:0.5, fx:0.5, fy:0.5, stop:0 {colours.primary.name()},
        stop:0.55 {colours.primary.name()}, stop:0.65 {base.name()}, stop:1 {base.name()}); }}
    QCheckBox::indicator:checked, QListView::indicator:checked {{
        border-color: {colours.primary.name()}; background: {colours.primary.name()};
        image: url("{check}"); }}
    QRadioButton::indicator:disabled, QCheckBox::indicator:disabled {{ border-color: {colours.line.name()}; }}
    QFrame#live {{ background: {colours.offer.name()}; }}
    QFrame#live QLabel, QFrame#live QCheckBox {{ color: {colours.offer_text.name()}; }}
    QFrame#live[lost="true"] {{ background: {colours.error.name()}; }}
    QFrame#live[lost="true"] QLabel, QFrame#live[lost="true"] QCheckBox {{ color: {colours.error_text.name()}; }}
    QLabel#liveMark {{ font-weight: 600; }}
    QLineEdit#invalid {{ border: 1px solid {colours.error_text.name()}; }}
    QListWidget::item {{ padding: 3px; }}
    QAbstractSpinBox {{ min-height: 20px; }}
    QTreeWidget#finder::item {{ padding: 3px 0px; }}
    QLineEdit {{ lineedit-clear-button-icon: url("{clear}"); }}
    QStatusBar QLabel {{ padding-left: 8px; }}
    QStatusBar::item {{ border: none; }}
    QTabBar#side::tab {{ padding: 5px 4px 6px 4px; border: none; border-bottom: 2px solid {colours.line.name()};
        color: {colours.quiet.name()}; }}
    QTabBar#side::tab:selected {{ border-bottom-color: {colours.primary.name()}; color: palette(text);
        font-weight: 600; }}
    QTabBar#side::tab:hover, QTabBar#side::tab:focus {{ color: palette(text); }}
    QTabBar#side:focus::tab:selected {{ border-bottom-color: {colours.offer_text.name()}; }}
    QLabel#paneTitle, QLabel#scanName {{ font-weight: 600; }}
    QLabel#paneHint, QLabel#quiet {{ color: {colours.quiet.name()}; }}
    QToolButton#chip {{ border: 1px solid {colours.line.name()}; border-radius: 4px; padding: 2px 8px; }}
    QToolButton#chip:checked {{ background: {colours.offer.name()}; color: {colours.offer_text.name()};
        border-color: {colours.primary.name()}; }}
    QToolButton#chip:hover, QToolButton#chip:focus {{ border-color: {colours.primary.name()}; }}
    QToolButton#chip::menu-indicator {{ width: 0px; }}
    QToolButton#barButton {{ border: 1px solid transparent; border-radius: 3px; padding: 1px 5px;
        color: {colours.quiet.name()}; }}
    QToolButton#barButton:hover {{ border-color: {colours.line.name()}; }}
    QToolButton#paneCross {{ border: none; color: {colours.quiet.name()}; padding: 0px 4px; }}
    QToolButton#paneCross:hover {{ color: {colours.primary.name()}; }}
    QLabel#hint {{ color: {colours.offer_text.name()}; background: {colours.offer.name()};
        padding: 5px; border-radius: 3px; }}
    QPushButton#tool {{ text-align: left; padding-left: 10px; }}
    QPushButton#tool:checked {{ background: {colours.offer.name()}; color: {colours.offer_text.name()};
        border: 1px solid {colours.primary.name()}; border-radius: 4px; }}
    QTableWidget#measured {{ background: transparent; }}
    QLabel#heading {{ font-weight: 600; margin-top: 6px; }}
    QLabel#invalid {{ color: {colours.error_text.name()}; background: {colours.error.name()};
        padding: 3px; border-radius: 3px; }}
    QPushButton#primary {{ background: {colours.primary.name()}; color: {colours.primary_text.name()};
        border: 2px solid {colours.primary.name()}; border-radius: 5px; padding: 7px;
        font-weight: 600; font-size: 14px; }}
    QPushButton#primary:hover {{ background: {colours.primary.lighter(112).name()}; }}
    QPushButton#primary:pressed {{ background: {colours.primary.darker(115).name()}; }}
    QPushButton#primary:focus {{ border-color: {colours.offer_text.name()}; }}
    QPushButton#primary:disabled {{ background: {colours.line.name()}; border-color: {colours.line.name()};
        color: {colours.quiet.name()}; }}
    QPushButton#primary[cancels="true"] {{ background: {colours.error.name()}; border-color: {colours.error.name()};
        color: {colours.error_text.name()}; }}
    """
