"""The small parts that every view is built from: labels, buttons, chips, notices, cards, bars, empty states.

Colours come from the style sheet by role, so that a change of theme reaches them by itself; icons are remade when the
theme changes. Every interactive part is given an accessible name here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from console.ui.glyphs import glyph, put, width_of
from console.ui.icons import icon, paint_icon
from console.ui.theme import BAR, col, current_theme, mono, ui

Kind = Literal["", "primary", "quiet", "link"]
Item = QWidget | int | tuple[QWidget, int] | None
Margins = tuple[int, int, int, int]
FINDING_GLYPHS = ("error", "warning", "info")


class Label(QLabel):
    """One text in a colour role; :meth:`set_role` changes the role."""

    def __init__(self, text: str = "", role: str = "text", font: QFont | None = None, wrap: bool = False) -> None:
        self._font = font or ui()
        super().__init__(text)
        self.setFont(self._font)
        self.setWordWrap(wrap)
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def setFont(self, font: QFont | str | Sequence[str]) -> None:
        self._font = QFont(font)
        super().setFont(self._font)

    def changeEvent(self, event: QEvent) -> None:
        # A style sheet puts back the font it first saw whenever the label is moved into another parent.
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.font().families() != self._font.families():
            super().setFont(self._font)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A single line that does not fit ends in an ellipsis; QLabel would cut it off in the middle of a letter."""
        text, room = self.text(), self.contentsRect().width()
        metrics = self.fontMetrics()
        if self.wordWrap() or metrics.horizontalAdvance(text) <= room:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(self.contentsRect(), self.alignment(), shown)
        painter.end()

    def set_role(self, role: str) -> None:
        if self.property("role") != role:
            self.setProperty("role", role)
            self.style().unpolish(self)
            self.style().polish(self)


def label(
    text: str = "", role: str = "text", font: QFont | None = None, wrap: bool = False, select: bool = False
) -> Label:
    """A text; plain, since what a peer sent is shown in labels too. ``select`` lets it be copied with the mouse."""
    made = Label(text, role, font, wrap)
    if select:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


class Button(QPushButton):
    """A push button whose icon follows the theme."""

    def __init__(self, text: str, kind: Kind = "", icon_name: str = "") -> None:
        # The style leaves 4 px beside an icon; a leading space makes it 8.
        super().__init__(f" {text}" if icon_name else text)
        self._kind: Kind = kind
        self._icon_name = icon_name
        self._icon_theme = ""
        if kind:
            self.setProperty("kind", kind)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFont(ui())
        self.setAccessibleName(text)
        self._refresh_icon()

    def set_text(self, text: str) -> None:
        """Change text and accessible name together."""
        shown = f" {text}" if self._icon_name else text
        if shown != self.text():
            self.setText(shown)
            self.setAccessibleName(text)

    def set_icon(self, icon_name: str) -> None:
        if icon_name != self._icon_name:
            self._icon_name, self._icon_theme = icon_name, ""
            self._refresh_icon()

    def _refresh_icon(self) -> None:
        if self._icon_name and self._icon_theme != current_theme():
            self._icon_theme = current_theme()
            role = {"primary": "on_accent", "link": "accent"}.get(self._kind, "text_muted")
            self.setIcon(icon(self._icon_name, role))
            self.setIconSize(QSize(14, 14))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._refresh_icon()


def button(
    text: str, kind: Kind = "", icon_name: str = "", run: Callable[[], object] | None = None, tip: str = ""
) -> Button:
    """A button: ``primary`` once per pane, ``quiet`` and ``link`` for the rest. ``run`` is called on click."""
    made = Button(text, kind, icon_name)
    if tip:
        made.setToolTip(tip)
    if run is not None:
        made.clicked.connect(_forgetting(run))
    return made


def _forgetting(run: Callable[[], object]) -> Callable[[bool], None]:
    """``clicked`` hands over the checked state, which nobody here wants."""

    @Slot(bool)
    def clicked(_checked: bool = False) -> None:
        run()

    return clicked


class ToolButton(QToolButton):
    """An icon alone: only for copy, more, close, resend, edit and the like."""

    def __init__(self, icon_name: str, name: str) -> None:
        super().__init__()
        self._icon_name = icon_name
        self._icon_theme = ""
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._refresh_icon()

    def _refresh_icon(self) -> None:
        if self._icon_theme != current_theme():
            self._icon_theme = current_theme()
            self.setIcon(icon(self._icon_name))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._refresh_icon()


def tool(icon_name: str, name: str, run: Callable[[], object] | None = None) -> ToolButton:
    """An icon button with tooltip and accessible name ``name``."""
    made = ToolButton(icon_name, name)
    if run is not None:
        made.clicked.connect(_forgetting(run))
    return made


def segments(names: Sequence[str], current: int, chosen: Callable[[int], object], about: str) -> QWidget:
    """Buttons side by side of which one is on: ``Worst first | venID``. ``about`` names the choice to a reader."""
    row = QWidget()
    row.setAccessibleName(about)
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    buttons: list[Button] = []

    def choose(number: int) -> None:
        for k, each in enumerate(buttons):
            each.setChecked(k == number)
        chosen(number)

    for k, name in enumerate(names):
        made = button(name, run=lambda k=k: choose(k))
        made.setCheckable(True)
        made.setChecked(k == current)
        made.setAccessibleName(f"{about}: {name}")
        if len(names) > 1:
            made.setProperty("seg", "l" if k == 0 else "r" if k == len(names) - 1 else "m")
        buttons.append(made)
        layout.addWidget(made)
    return row


def line(way: Literal["h", "v"] = "h") -> QFrame:
    """Hairline between panes."""
    frame = QFrame()
    frame.setProperty("line", way)
    return frame


def box(
    way: Literal["h", "v"], *items: Item, margins: Margins = (0, 0, 0, 0), spacing: int = 0, name: str = ""
) -> QWidget:
    """Lay ``items`` out in a row or a column: a widget, (widget, stretch), px of space, or None for a spring.

    ``name`` is the surface: ``panel``, ``chrome``, ``sunken`` or empty for a see-through box.
    """
    made = QWidget()
    if name:
        made.setObjectName(name)
        made.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    layout: QBoxLayout = QHBoxLayout(made) if way == "h" else QVBoxLayout(made)
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        elif isinstance(item, tuple):
            layout.addWidget(item[0], item[1])
        else:
            layout.addWidget(item)
    return made


class Canvas(QWidget):
    """A widget that is only painted: subclasses draw in :meth:`draw`. Give it an accessible name."""

    def __init__(self, width: int = 0, height: int = 0, name: str = "") -> None:
        super().__init__()
        if width:
            self.setFixedWidth(width)
        if height:
            self.setFixedHeight(height)
        if name:
            self.setAccessibleName(name)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        self.draw(painter, self.width(), self.height())
        painter.end()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        """Paint the whole widget."""


class Glyph(Canvas):
    """A glyph (or, with ``as_icon``, a Lucide icon) as a widget."""

    def __init__(self, name: str, role: str | None = None, size: int = 12, as_icon: bool = False) -> None:
        super().__init__(size + 4, size + 4)
        self._name, self._role, self._size, self._as_icon = name, role, size, as_icon

    def set_glyph(self, name: str, role: str | None = None) -> None:
        if (name, role) != (self._name, self._role):
            self._name, self._role = name, role
            self.update()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        if self._as_icon:
            paint_icon(painter, self._name, 2, 2, self._size, self._role or "text_muted")
        else:
            glyph(painter, self._name, width / 2, height / 2, self._size, self._role)


class Chip(Canvas):
    """Small tag ``[glyph] text``; outline only, a fill is for alarms and the TEST tag."""

    def __init__(
        self, text: str, glyph_name: str = "", role: str = "text_muted", font: QFont | None = None, fill: str = "raised"
    ) -> None:
        super().__init__(height=22, name=text)
        self._font = font or ui(12)
        self._text, self._glyph, self._role, self._fill = text, glyph_name, role, fill
        self._fit()

    def set_text(self, text: str, glyph_name: str | None = None) -> None:
        name = self._glyph if glyph_name is None else glyph_name
        if (text, name) != (self._text, self._glyph):
            self._text, self._glyph = text, name
            self.setAccessibleName(text)
            self._fit()
            self.update()

    def _fit(self) -> None:
        self.setFixedWidth(round(width_of(self._text, self._font)) + 17 + (16 if self._glyph else 0))

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(col("border"), 1))
        painter.setBrush(col(self._fill))
        painter.drawRoundedRect(QRectF(0.5, 0.5, width - 1, height - 1), 4, 4)
        x = 8
        if self._glyph:
            own = self._glyph.startswith("alarm") or self._glyph in FINDING_GLYPHS
            glyph(painter, self._glyph, 14, height / 2, 10, None if own else self._role)
            x = 24
        put(painter, QRectF(x, 0, width - x, height), self._text, "text", self._font, elide=False)


Piece = tuple[str, str] | tuple[str, str, QFont]


class Strip(Canvas):
    """One line of short texts, left and right, each ``(text, role[, font])``."""

    def __init__(
        self, left: Sequence[Piece] = (), right: Sequence[Piece] = (), height: int = 24, pad: int = 12, gap: int = 12
    ) -> None:
        super().__init__(height=height)
        self._left, self._right = list(left), list(right)
        self._pad, self._gap = pad, gap

    def set_pieces(self, left: Sequence[Piece], right: Sequence[Piece] = ()) -> None:
        if (list(left), list(right)) != (self._left, self._right):
            self._left, self._right = list(left), list(right)
            self.setAccessibleName(", ".join(piece[0] for piece in (*left, *right)))
            self.update()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        end: float = width - self._pad
        for piece in reversed(self._right):
            font = piece[2] if len(piece) == 3 else ui(12)
            taken = width_of(piece[0], font)
            put(painter, QRectF(end - taken - 1, 0, taken + 2, height), piece[0], piece[1], font, elide=False)
            end -= taken + self._gap
        x: float = self._pad
        for piece in self._left:
            font = piece[2] if len(piece) == 3 else ui(12)
            if end - x < 12:
                break
            x += put(painter, QRectF(x, 0, end - x, height), piece[0], piece[1], font) + self._gap


def card(*items: Item, margins: Margins = (16, 14, 16, 14), spacing: int = 8) -> QFrame:
    """A raised frame, only for a thing with its own state."""
    frame = QFrame()
    frame.setObjectName("card")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    layout.addWidget(box("v", *items, spacing=spacing))
    return frame


class Notice(QFrame):
    """Tinted pane with a bar at its left: title in one sentence, what it means, actions as links.

    ``one_line`` puts the actions at the right of the title.
    """

    def __init__(
        self, kind: str, title: str, text: str = "", actions: Sequence[QWidget] = (), one_line: bool = False
    ) -> None:
        super().__init__()
        self.setObjectName(f"notice_{kind}")
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 8, 10, 8)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        self._glyph = Glyph(kind, None, 13)
        self._title = label(title, "text", ui(12.5, 600), wrap=True, select=True)
        self._text = label(text, "text", ui(12.5), wrap=True, select=True)
        place = Qt.AlignmentFlag.AlignVCenter if one_line else Qt.AlignmentFlag.AlignTop
        grid.addWidget(self._glyph, 0, 0, place)
        grid.addWidget(self._title, 0, 1)
        grid.addWidget(self._text, 1, 1)
        self._text.setVisible(bool(text))
        if one_line:
            grid.addWidget(box("h", *actions, spacing=10), 0, 2)
        elif actions:
            grid.addWidget(box("h", *actions, None, spacing=10), 2, 1)
        grid.setColumnStretch(1, 1)
        self.setAccessibleName(f"{kind}: {title}")

    def set_notice(self, kind: str, title: str, text: str = "") -> None:
        """Change what it says; kind is ``error``, ``warning`` or ``info``."""
        if self.objectName() != f"notice_{kind}":
            self.setObjectName(f"notice_{kind}")
            self._glyph.set_glyph(kind)
            self.style().unpolish(self)
            self.style().polish(self)
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.setAccessibleName(f"{kind}: {title}")


def notice(kind: str, title: str, text: str = "", *actions: QWidget) -> Notice:
    """A notice that stays in its pane; kind is ``error``, ``warning`` or ``info``."""
    return Notice(kind, title, text, actions)


def pane_title(text: str | QWidget, *right: Item) -> QWidget:
    """Head of a pane, 36 px: title at the left, facts and tools at the right."""
    title = label(text, "text", ui(13, 600)) if isinstance(text, str) else text
    made = box("h", title, None, *right, margins=(12, 0, 8, 0), spacing=4, name="panel")
    made.setFixedHeight(BAR)
    return made


def tab_bar(names: Sequence[str], small: bool = False) -> QTabBar:
    """Text tabs with a line under the current one; ``small`` inside a pane."""
    tabs = QTabBar()
    tabs.setObjectName("small" if small else "")
    tabs.setExpanding(False)
    tabs.setDrawBase(False)
    tabs.setFont(ui(12 if small else 13))
    tabs.setUsesScrollButtons(False)
    tabs.setElideMode(Qt.TextElideMode.ElideNone)
    for name in names:
        tabs.addTab(name)
    return tabs


def empty_state(
    sentence: str,
    literal: str = "",
    primary: Button | None = None,
    *others: Button,
    margins: Margins = (14, 12, 14, 12),
) -> QWidget:
    """One sentence, the literal to copy, one primary button and a link, at the left where the rows would be."""
    items: list[Item] = [label(sentence, "text", ui(13), wrap=True)]
    if literal:
        items += [2, label(literal, "text", mono(12), select=True)]
    buttons = [each for each in (primary, *others) if each is not None]
    if buttons:
        items += [10, box("h", *buttons, None, spacing=8)]
    return box("v", *items, None, margins=margins, name="panel")


class FactsGrid(QWidget):
    """Two columns: what it is, muted, and its value, in mono where it is a literal of the standard."""

    def __init__(self, width: int = 96, margins: Margins = (12, 0, 12, 10)) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(*margins)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnMinimumWidth(0, width)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[Label, Label]] = []

    def set_facts(self, facts: Sequence[tuple[str, str, bool]]) -> None:
        """Show ``(what, value, literal)`` rows; labels are kept and reused."""
        while len(self._rows) < len(facts):
            row = len(self._rows)
            pair = (label("", "text_muted", ui(12)), label("", "text", ui(12.5), select=True))
            for column, each in enumerate(pair):
                each.setSizePolicy(
                    QSizePolicy.Policy.Ignored if column else QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed
                )
                self._grid.addWidget(each, row, column)
            self._rows.append(pair)
        for k, (what, value) in enumerate(self._rows):
            shown = k < len(facts)
            what.setVisible(shown)
            value.setVisible(shown)
            if shown:
                what.setText(facts[k][0])
                value.setText(facts[k][1])
                value.setToolTip(facts[k][1])
                value.setFont(mono(12) if facts[k][2] else ui(12.5))
