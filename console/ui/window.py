"""The main window: header, filter bar, sidebar, tabs with the five views, finding strip, status bar.

It is shown at once and empty (:class:`Window`), so that the first paint does not wait for plots or sockets; a desk is
attached to it afterwards (:meth:`Window.attach`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, cast

from PySide6.QtCore import QEvent, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QGuiApplication, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QApplication, QMenuBar, QStackedWidget, QVBoxLayout, QWidget

from console.ui.actions import Action, ActionBook
from console.ui.bridge import CLOCK, Bridge
from console.ui.command_palette import CommandPalette
from console.ui.cursor import TimeCursor
from console.ui.sidebar import FOLDED_WIDTH, Sidebar
from console.ui.strips import FindingStrip, StatusBar
from console.ui.theme import BAR, SIDE_WIDTH, THEMES, apply_theme, col, current_theme, mono
from console.ui.widgets import Canvas, Chip, box, button, label, line, tab_bar
from console.ui.words import running

if TYPE_CHECKING:
    from console.app.views import Desk, SessionView
    from console.ui.events import EventsView
    from console.ui.messages import MessagesView
    from console.ui.recordings import Recordings

VIEWS = (
    ("Messages", "console.ui.messages", "MessagesView"),
    ("Events", "console.ui.events", "EventsView"),
    ("Reports", "console.ui.reports", "ReportsView"),
    ("Presence", "console.ui.presence", "PresenceView"),
    ("Site", "console.ui.site", "SiteView"),
    ("Composer", "console.ui.composer", "ComposerView"),
)
"""Tab, module, class: imported after the first paint, since plots take a fifth of a second to import."""
SIZE = (1440, 900)
SMALLEST = (1024, 640)
FOLD_BELOW = 1100
CHIPS = 3
THEME_WORDS = {"light": "Light", "dark": "Dark", "high_contrast": "High contrast"}


class View(Protocol):
    """What each tab holds: a QWidget with these two."""

    def refresh(self, changed: frozenset[str]) -> None: ...

    def retheme(self) -> None: ...


def import_views() -> None:
    """Import every view's module, so that building one does not have to."""
    for _, module, _ in VIEWS:
        importlib.import_module(module)


class Mark(Canvas):
    """The mark of Nodebench: two nodes and the line between them."""

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(width / 20, height / 20)
        round_pen = (Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        painter.setPen(QPen(col("text"), 1.6, *round_pen))
        painter.drawPolyline([QPointF(5, 15), QPointF(5, 6), QPointF(15, 14), QPointF(15, 5)])
        painter.setBrush(col("window"))
        for x, y in ((5, 15), (15, 5)):
            painter.drawEllipse(QPointF(x, y), 2.4, 2.4)


class Header(QWidget):
    """Mark, menus, and a chip per session."""

    def __init__(self, open_palette: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName("chrome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(40)
        self.menus = QMenuBar()
        self.menus.setNativeMenuBar(False)
        self.menus.setFixedHeight(28)
        self._chips = [Chip("", "on") for _ in range(CHIPS)]
        self._recording = Chip("", "on", "finding_error")
        self._recording.setToolTip("Every message is recorded from the first byte.")
        for chip in (*self._chips, self._recording):
            chip.hide()
        commands = button("Ctrl+K", "quiet", run=open_palette, tip="Every command, found by typing")
        commands.setFont(mono(11))
        commands.setAccessibleName("Commands")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        row = box(
            "h", Mark(20, 20, "Nodebench"), 6, (box("v", self.menus, margins=(0, 2, 0, 0)), 1), *self._chips,
            self._recording, commands,
            margins=(12, 0, 12, 0), spacing=6,
        )  # fmt: skip
        layout.addWidget(row)

    def set_sessions(self, sessions: list[SessionView]) -> None:
        """A chip for each of the first sessions: name, transport and port, state."""
        for chip, session in zip(self._chips, sessions, strict=False):
            detail = session.detail.split("·")[-1].strip()
            glyph_name = {"ok": "on", "failed": "failed"}.get(str(session.state), str(session.state))
            chip.set_text(f"{session.name}  {detail}", glyph_name)
            chip.setToolTip(session.text or session.url)
        for k, chip in enumerate(self._chips):
            chip.setVisible(k < len(sessions))

    def set_recording(self, age: timedelta) -> None:
        """``Rec 0:42``; left out where there is no room."""
        self._recording.set_text(f"Rec {running(age)}", "on")
        self._recording.setVisible(self.width() >= FOLD_BELOW)


class Window(QWidget):
    """The whole window. ``closing`` is told instead of closing, until :meth:`let_go` was called."""

    closing = Signal()
    painted = Signal()
    """Told once, after the first paint."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("root")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle("Nodebench")
        self.setMinimumSize(*SMALLEST)
        self.resize(*SIZE)
        self.cursor_shared = TimeCursor(self)
        self.book = ActionBook(self)
        self.bridge: Bridge | None = None
        self.views: dict[str, View] = {}
        self.desk: Desk | None = None
        self._sidebar: Sidebar | None = None
        self._focus_of: dict[QWidget, QWidget] = {}
        self._may_close = False
        self.recordings: Recordings | None = None
        """What it does with recordings, once there is a desk."""
        self._painted = False
        self._chose_theme = False
        self._palette = CommandPalette(self, self.book)
        self._header = Header(self._palette.open)
        self._filter_place = box("v", name="chrome")
        self._filter_place.setFixedHeight(BAR)
        self._side_place = box("v", name="chrome")
        self._side_place.setFixedWidth(SIDE_WIDTH)
        self.tabs = tab_bar(())
        self.tabs.setAccessibleName("Views")
        self._pages = QStackedWidget()
        self._starting = box("v", label("Starting…", "text_muted"), None, margins=(14, 12, 14, 12), name="panel")
        self._pages.addWidget(self._starting)
        self._foot = box("v")
        self._lay_out()
        self.book.add(self._own_actions())
        self.book.fill(self._header.menus)
        self.tabs.currentChanged.connect(self._tab_changed)
        self.cursor_shared.view_wanted.connect(self.show_view)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    def _lay_out(self) -> None:
        bar = box("h", self.tabs, None, margins=(4, 0, 8, 0), name="panel")
        bar.setFixedHeight(BAR)
        middle = box(
            "h", self._side_place, line("v"), (box("v", bar, line(), (self._pages, 1), name="panel"), 1)
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (self._header, line(), self._filter_place, line()):
            layout.addWidget(part)
        layout.addWidget(middle, 1)
        layout.addWidget(line())
        layout.addWidget(self._foot)

    def _own_actions(self) -> list[Action]:
        actions = [
            Action("file.commands", "All commands", "File", self._palette.open, "Ctrl+K",
                   tip="Lists every command; type to find one."),
            Action("file.quit", "Quit", "File", self.close, "Ctrl+Q",
                   tip="Stops every session cleanly and closes the window."),
        ]  # fmt: skip
        for number, (name, _, _) in enumerate(VIEWS, 1):
            actions.append(
                Action(f"view.{name.lower()}", name, "View", lambda name=name: self.show_view(name), f"Ctrl+{number}",
                       when=lambda name=name: name in self.views, tip=f"Shows the {name} view.")
            )  # fmt: skip
        actions += [
            Action("view.sidebar", "Show or hide the sidebar", "View", self.toggle_sidebar, "F9",
                   tip="Sessions, VENs and devices at the left."),
            Action("view.inspector", "Show or hide the inspector", "View", self.toggle_inspector, "F4",
                   when=lambda: "Messages" in self.views, tip="The pane that explains the selected message."),
            Action("view.full_screen", "Full screen", "View", self.toggle_full_screen, "F11"),
        ]  # fmt: skip
        for theme in THEMES:
            actions.append(
                Action(f"view.theme_{theme}", f"{THEME_WORDS[theme]} theme", "View",
                       lambda theme=theme: self.choose_theme(theme), when=lambda theme=theme: current_theme() != theme,
                       tip="Changes the colours of the whole window.")
            )  # fmt: skip
        actions += [
            Action("session.all", "Show messages of all sessions", "Session",
                   lambda: self.cursor_shared.select_session(""), when=lambda: bool(self.cursor_shared.session_name),
                   tip="Takes away the narrowing to one session."),
            Action("help.shortcuts", "Commands and shortcuts", "Help", self._palette.open, "F1",
                   tip="Lists every command with its shortcut."),
        ]  # fmt: skip
        return actions

    @property
    def messages(self) -> MessagesView:
        return cast("MessagesView", self.views["Messages"])

    def attach(self, desk: Desk) -> Bridge:
        """Build the views on a desk and begin to follow it."""
        from console.ui.recordings import equip

        self.desk = desk
        bridge = Bridge(desk, self)
        self.bridge = bridge
        sidebar = Sidebar(desk, self.cursor_shared)
        self._sidebar = sidebar
        self._place(self._side_place, sidebar)
        bridge.add(sidebar, sidebar.isVisible)
        bridge.add(_Chips(desk, self._header, self.cursor_shared), self.isVisible)
        self._pages.removeWidget(self._starting)
        for name, module, class_name in VIEWS:
            made = getattr(importlib.import_module(module), class_name)(desk, self.cursor_shared)
            self.views[name] = made
            self._pages.addWidget(made)
            bridge.add(made, made.isVisible)
            offered = getattr(made, "actions_offered", None)
            if offered is not None:
                self.book.add(offered())
            self.tabs.addTab(name)
        self._place_filter_bar()
        bridge.add(_Counts(self.messages), lambda: not self.messages.isVisible())
        strip, status = FindingStrip(desk, self.cursor_shared), StatusBar(desk, bridge)
        for part in (strip, line(), status):
            self._place(self._foot, part)
        for part in (strip, status):
            bridge.add(part, part.isVisible)
        self.recordings = equip(self, desk)
        self._add_desk_actions(desk)
        self.book.fill(self._header.menus)
        self._fold(self.width())
        bridge.tick()
        bridge.start()
        (self.messages.table if self.messages.table.isVisible() else self.tabs).setFocus()
        return bridge

    def put_at_foot(self, widget: QWidget) -> None:
        """Above the lines at the foot; it may hide itself."""
        cast("QVBoxLayout", self._foot.layout()).insertWidget(0, widget)

    def _place_filter_bar(self) -> None:
        bar = self.messages.filter_bar
        bar.entered.connect(self._show_messages)
        self._place(self._filter_place, bar)

    @Slot()
    def _show_messages(self) -> None:
        self.show_view("Messages")
        self.messages.table.setFocus()

    @staticmethod
    def _place(place: QWidget, widget: QWidget) -> None:
        cast("QVBoxLayout", place.layout()).addWidget(widget)
        # A layout shows what it is given a turn of the loop later, which is after the first refresh.
        widget.show()

    def _add_desk_actions(self, desk: Desk) -> None:
        def vtns() -> list[SessionView]:
            return [session for session in desk.sessions() if session.kind == "VTN" and session.url]

        def copy_url() -> None:
            QGuiApplication.clipboard().setText(vtns()[0].url)

        def new_event() -> None:
            self.show_view("Events")
            cast("EventsView", self.views["Events"]).new_event()

        def start_demo() -> None:
            self.show_view("Messages")
            self.messages.start_demo()

        actions = [
            Action("session.copy_url", "Copy URL of the VTN", "Session", copy_url, when=lambda: bool(vtns()),
                   tip="What a VEN has to be given to find this VTN."),
            Action("session.start_lab", "Start the demo", "Session", start_demo, when=lambda: not desk.sessions(),
                   tip="A VTN, a VEN and a house in this window, over real sockets on this machine."),
            Action("event.new", "New event…", "Event", new_event, "Ctrl+E", when=lambda: bool(vtns()),
                   tip="Opens the editor; nothing is sent before Issue."),
        ]  # fmt: skip
        self.book.add(actions)

    @Slot(str)
    def show_view(self, name: str) -> None:
        """Bring a view to the front; it takes in what it missed at once."""
        names = list(self.views)
        if name in names:
            self.tabs.setCurrentIndex(names.index(name))

    def current_view(self) -> str:
        return list(self.views)[self.tabs.currentIndex()] if self.views else ""

    @Slot(int)
    def _tab_changed(self, number: int) -> None:
        if 0 <= number < self._pages.count():
            focused = self.focusWidget()
            self._remember_focus(focused)
            self._pages.setCurrentIndex(number)
            self._restore_focus(focused)
            if self.bridge is not None:
                self.bridge.tick()

    def _remember_focus(self, focused: QWidget | None) -> None:
        before = self._pages.currentWidget()
        if before is not None and focused is not None and before.isAncestorOf(focused):
            self._focus_of[before] = focused

    def _restore_focus(self, focused: QWidget | None) -> None:
        """Back to where one was in this view; the first time on its tab, so that no button looks chosen.

        Hiding a view hands the focus to whatever comes next; ``focused`` had it before.
        """
        view = self._pages.currentWidget()
        edit = self.messages.filter_bar.edit
        if view is not None:
            (edit if focused is edit else self._focus_of.get(view, self.tabs)).setFocus()

    def toggle_sidebar(self) -> None:
        self._side_place.setVisible(not self._side_place.isVisible())

    def toggle_inspector(self) -> None:
        inspector = self.messages.inspector
        inspector.setVisible(not inspector.isVisible())

    def toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def choose_theme(self, name: str) -> None:
        """Change the colours now, and stop following the system."""
        self._chose_theme = True
        self.set_theme(name)

    def set_theme(self, name: str) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, name)
            for view in self.views.values():
                view.retheme()

    def follow_system(self, follow: bool) -> None:
        """Whether a change of the system's colour scheme is taken over."""
        self._chose_theme = not follow

    @Slot(Qt.ColorScheme)
    def _system_changed(self, scheme: Qt.ColorScheme) -> None:
        if not self._chose_theme and scheme != Qt.ColorScheme.Unknown:
            self.set_theme("dark" if scheme == Qt.ColorScheme.Dark else "light")

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest and not self._painted:
            self._painted = True
            self.painted.emit()
        return done

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold(event.size().width())

    def _fold(self, width: int) -> None:
        folded = width < FOLD_BELOW
        self._side_place.setFixedWidth(FOLDED_WIDTH if folded else SIDE_WIDTH)
        if self._sidebar is not None:
            self._sidebar.set_folded(folded)

    def let_go(self) -> None:
        """Everything is stopped: close for good."""
        self._may_close = True
        if self.recordings is not None:
            self.recordings.close_all()
        if self.bridge is not None:
            self.bridge.stop()
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            event.accept()
        else:
            event.ignore()
            self.closing.emit()


class _Chips:
    """Keeps the header's chips up to date, and shows one side of a wire first where both are ours."""

    def __init__(self, desk: Desk, header: Header, cursor: TimeCursor) -> None:
        self._desk, self._header, self._cursor = desk, header, cursor
        self._chosen = False

    def refresh(self, changed: frozenset[str]) -> None:
        if "sessions" in changed:
            sessions = [each for each in self._desk.sessions() if each.kind != "CEM"]
            self._header.set_sessions(sessions)
            self._choose_a_side(sessions)
        if CLOCK in changed and self._desk.sessions() and self._desk.status().writing:
            self._header.set_recording(self._desk.status().recording)

    def _choose_a_side(self, sessions: list[SessionView]) -> None:
        """Where both ends of a wire are ours each message is recorded twice: begin with the VTN's."""
        vtn = next((each for each in sessions if each.kind == "VTN" and each.url), None)
        if self._chosen or vtn is None or not any(each.kind == "VEN" and each.url == vtn.url for each in sessions):
            return
        self._chosen = True
        if not self._cursor.session_name and not self._cursor.message_number:
            self._cursor.select_session(vtn.name)


class _Counts:
    """Keeps the filter bar's count true while the messages are not in front."""

    def __init__(self, messages: MessagesView) -> None:
        self._messages = messages

    def refresh(self, changed: frozenset[str]) -> None:
        if "messages" in changed:
            self._messages.count_hidden()
