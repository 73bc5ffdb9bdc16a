"""The Messages view: the list, the timeline under it, and the inspector beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from console.app.filter_book import FilterBook
from console.app.mark_book import MarkBook
from console.store.filter_completion import complete, quoted
from console.store.ids import ids_in
from console.ui.actions import Action
from console.ui.bridge import CLOCK
from console.ui.cursor import TimeCursor
from console.ui.filter_bar import FilterBar
from console.ui.find_bar import FindBar
from console.ui.inspector import Inspector
from console.ui.lookups import Lookup
from console.ui.message_actions import LETTERS, actions_of
from console.ui.message_list import MessageTable
from console.ui.theme import INSPECTOR_WIDTH
from console.ui.timeline import Timeline
from console.ui.widgets import Button, Notice, box, button, empty_state, line
from console.ui.words import count, plural

if TYPE_CHECKING:
    from datetime import datetime

    from console.app.views import Desk
    from console.store.filter_completion import Completion

STACK_BELOW = 1020
"""Narrower than this the inspector goes under the list."""
TIMELINE_ABOVE = 760
"""Lower than this a list with the inspector under it has no room for the timeline."""
START_RULE = "start"
"""Rule of the finding that tells why the lab could not start."""
LIST_PAGE, NOTHING_YET_PAGE, HIDDEN_PAGE = range(3)


class MessagesView(QWidget):
    """What went over the wire, and what it means.

    The filter bar belongs to this view and is placed by the window above all views.
    """

    def __init__(self, desk: Desk, cursor: TimeCursor) -> None:
        super().__init__()
        self._desk, self._cursor = desk, cursor
        self._text = ""
        self._session = ""
        self._starting = False
        """The demo was asked for and nothing has come of it yet."""
        self.paused = False
        self.table = MessageTable(desk)
        self.timeline = Timeline(desk, cursor)
        self.inspector = Inspector(desk)
        self.filter_bar = FilterBar()
        self.filter_bar.book = FilterBook(desk.recall, desk.remember)
        self.filter_bar.proposer = self._propose
        self.find_bar = FindBar(desk)
        self.lookup = Lookup(desk)
        self.marks = MarkBook(desk.recall, desk.remember)
        self.table.marks = self.marks.notes
        self.inspector.marks = self.marks
        self._build()
        self._connect()
        self._update_state()

    def _build(self) -> None:
        self._notice = Notice("info", "", "", (button("Clear filter", "link", run=self.clear_filter),), one_line=True)
        self._notice_box = box("v", self._notice, margins=(8, 6, 8, 6), name="panel")
        self._notice_box.hide()
        self._told = Notice("info", "", "", (button("Close", "link", run=self._close_told),), one_line=True)
        self._told_box = box("v", self._told, margins=(8, 6, 8, 6), name="panel")
        self._told_box.hide()
        self._nothing_yet = QWidget()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.table)
        self._pages.addWidget(self._nothing_yet)
        self._hidden = empty_state("", "", button("Clear filter", "primary", run=self.clear_filter))
        self._pages.addWidget(self._hidden)
        self._timeline_box = box("v", line(), self.timeline)
        left = box(
            "v", self.find_bar, self._told_box, self._notice_box, (self._pages, 1), self._timeline_box, name="panel"
        )
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setObjectName("messages_splitter")
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(left)
        self._splitter.addWidget(self.inspector)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setStretchFactor(1, 0)
        self.inspector.setMinimumSize(320, 160)
        left.setMinimumSize(480, 200)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._splitter)

    def _connect(self) -> None:
        self.table.chosen_changed.connect(self._chosen)
        self.table.pause_wanted.connect(self.toggle_pause)
        self.timeline.moment_chosen.connect(self._moment_chosen)
        self.filter_bar.wanted.connect(self._filter_wanted)
        self.filter_bar.pause_toggled.connect(self.toggle_pause)
        self.filter_bar.left.connect(self.table.setFocus)
        self.filter_bar.stop_wanted.connect(self.lookup.cancel)
        self.lookup.found.connect(self._looked_up)
        self.lookup.moved.connect(self._update_state)
        self.find_bar.chosen.connect(self._cursor.select_message)
        self.find_bar.changed.connect(self._hits_changed)
        self.find_bar.closed.connect(self.table.setFocus)
        self.inspector.message_wanted.connect(self._cursor.select_message)
        self.inspector.marks_changed.connect(self.table.viewport().update)
        self.inspector.left.connect(self.table.setFocus)
        self.table.key_pressed.connect(self._letter)
        self._cursor.message_selected.connect(self._select)
        self._cursor.session_selected.connect(self._narrow)
        self._cursor.filter_wanted.connect(self.filter_bar.set_text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < STACK_BELOW
        self._timeline_box.setVisible(not narrow or self.height() >= TIMELINE_ABOVE)
        wanted = Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal
        if self._splitter.orientation() != wanted or event.oldSize().width() <= 0:
            self._splitter.setOrientation(wanted)
            whole = self.height() if narrow else self.width()
            share = whole // 2 if narrow else INSPECTOR_WIDTH
            self._splitter.setSizes([whole - share, share])

    def refresh(self, changed: frozenset[str]) -> None:
        """Take in what the desk says has changed; see :class:`console.ui.bridge.Bridge`."""
        if "findings" in changed and self._starting:
            self._look_for_trouble()
        if "sessions" in changed and not len(self._desk.messages):
            self._update_state()
        if changed & {"messages", "findings"}:
            if not self.paused:
                self.table.catch_up()
                self.lookup.want(self._applied(), self._session)
            self.find_bar.catch_up()
            self.inspector.refresh()
            self._update_state()
        if changed & {CLOCK, "events"}:
            self.timeline.reload()

    def count_hidden(self) -> None:
        """Keep the filter bar true while another view is in front; the bar stands above them all."""
        if not self.paused:
            self.table.rows.catch_up()
        self._update_state()

    def retheme(self) -> None:
        self.inspector.retheme()
        self.filter_bar.retheme()

    def actions_offered(self) -> list[Action]:
        """What this view adds to menus and palette."""
        return actions_of(self)

    def _letter(self, key: str) -> None:
        """A letter that was hit in the list: the action that has it."""
        action = next((each for each in actions_of(self) if LETTERS.get(each.id) == key), None)
        if action is not None and action.when():
            action.run()

    def _close_told(self) -> None:
        self._told_box.hide()

    def has_chosen(self) -> bool:
        return self.table.chosen is not None

    def has_findings(self) -> bool:
        shown = self.inspector.shown
        return shown is not None and bool(shown.findings)

    def has_partner(self) -> bool:
        chosen = self.table.chosen
        return chosen is not None and bool(chosen.reply_to or chosen.answered_by)

    def go_to_partner(self) -> None:
        chosen = self.table.chosen
        if chosen is not None:
            self._cursor.select_message(chosen.reply_to or chosen.answered_by)

    def ids(self, field: str) -> tuple[str, ...]:
        """The ids of one kind in the message that is chosen."""
        shown = self.inspector.shown
        return ids_in(shown.body, field) if shown is not None else ()

    def follow_exchange(self) -> None:
        """Show the conversation of the chosen message alone."""
        if self.table.chosen is not None:
            numbers = [each.number for each in self._desk.conversation(self.table.chosen.number).messages]
            self.filter_bar.set_text(f"number in ({', '.join(str(number) for number in numbers)})")

    def follow(self, field: str) -> None:
        """Show every message that holds the id of this kind in the chosen one, over all modifications."""
        found = self.ids(field)
        if found:
            self.filter_bar.set_text(f"{field} == {quoted(found[0])}")

    def follow_registration(self) -> None:
        """Show the registration of the chosen message's peer, from query to cancellation."""
        if self.table.chosen is not None:
            self.filter_bar.set_text(f"peer == {quoted(self.table.chosen.peer)} and element ~ Registration")

    def toggle_mark(self) -> None:
        if self.table.chosen is not None:
            self.marks.toggle(self.table.chosen.number)
            self.table.viewport().update()
            self.inspector.show_note()

    def go_to_mark(self, by: int = 1) -> None:
        self._cursor.select_message(
            self.marks.next_after(self._cursor.message_number, by) or self._cursor.message_number
        )

    def open_find(self) -> None:
        """Open the bar that finds texts in bodies."""
        self.find_bar.narrow(self._applied(), self._session)
        self.find_bar.open()

    def _propose(self, text: str, cursor: int) -> list[Completion]:
        return complete(text, cursor, lambda field: self._desk.filter_values(field.name))

    def _applied(self) -> str:
        """The filter that is in force."""
        return self._text if not self.table.rows.error else ""

    def _looked_up(self) -> None:
        self.table.reselect()
        selected = self._cursor.message_number
        if self.table.chosen is None and selected and self.table.rows.row_of(selected) >= 0:
            self.table.choose(selected)  # it was hidden only until its body was looked at
        self._update_state()

    def _hits_changed(self) -> None:
        self.table.hits = self.find_bar.hits
        self.table.viewport().update()
        self.inspector.find_text(self.find_bar.text)

    def focus_filter(self) -> None:
        self.filter_bar.edit.setFocus()
        self.filter_bar.edit.selectAll()

    def clear_filter(self) -> None:
        """Show every message of every session."""
        self._cursor.select_session("")
        self.filter_bar.clear()

    @Slot()
    def toggle_pause(self) -> None:
        self.paused = not self.paused
        if not self.paused:
            self.table.catch_up()
            self.table.follow_tail()
        self._update_state()

    @Slot(str)
    def _filter_wanted(self, text: str) -> None:
        self._text = text
        self._apply_filter()

    @Slot(str)
    def _narrow(self, session: str) -> None:
        self._session = session
        self._apply_filter()

    def _apply_filter(self) -> None:
        self.table.set_filter(self._text, self._session)
        self.lookup.want(self._applied(), self._session, again=True)
        self.find_bar.narrow(self._applied(), self._session)
        self._update_state()

    @Slot(int)
    def _chosen(self, number: int) -> None:
        self._cursor.select_message(number)

    @Slot(int)
    def _select(self, number: int) -> None:
        """Somebody selected a message, perhaps this list itself."""
        if number and number > len(self._desk.messages):
            return
        if number:
            self.table.choose(number)
            self._cursor.set_time(self._desk.messages.view(number - 1).time)
        self.inspector.show_message(number)
        self.find_bar.set_current(number)
        self.inspector.find_text(self.find_bar.text)
        self._update_state()

    @Slot(object)
    def _moment_chosen(self, moment: datetime) -> None:
        """Put the cursor there and select the message that came next."""
        rows = self.table.rows
        low, high = 0, rows.rowCount()
        while low < high:
            middle = (low + high) // 2
            if rows.view(middle).time < moment:
                low = middle + 1
            else:
                high = middle
        if low < rows.rowCount():
            self._cursor.select_message(rows.view(low).number)
        self._cursor.set_time(moment)

    def _update_state(self) -> None:
        """Say what is shown, what is hidden and why."""
        rows, total = self.table.rows, len(self._desk.messages)
        shown = rows.rowCount()
        narrowed = f" of {self._session}" if self._session else ""
        self.filter_bar.set_looking(*self.lookup.progress)
        self.filter_bar.set_count(shown, total, rows.error, self._session, rows.error_at)
        self.filter_bar.set_paused(self.paused, rows.behind if self.paused else 0)
        if not total:
            self._show_nothing_yet()
            self._pages.setCurrentIndex(NOTHING_YET_PAGE)
        elif not shown and rows.filtered and not self.lookup.running:
            text = (
                f"The filter hides all {plural(total, 'message')}."
                if not narrowed
                else f"The filter shows no message{narrowed}."
            )
            self._set_hidden_text(text)
            self._pages.setCurrentIndex(HIDDEN_PAGE)
        else:
            self._pages.setCurrentIndex(LIST_PAGE)
        selected = self._cursor.message_number
        hidden = bool(selected) and bool(shown) and rows.row_of(selected) < 0 and rows.filtered
        if hidden:
            self._notice.set_notice("info", f"The filter hides message {count(selected)}, which is selected.")
        self._notice_box.setVisible(hidden)

    def _set_hidden_text(self, text: str) -> None:
        if self._hidden.accessibleName() != text:
            fresh = empty_state(text, self._text, button("Clear filter", "primary", run=self.clear_filter))
            fresh.setAccessibleName(text)
            self._swap(HIDDEN_PAGE, self._hidden, fresh)
            self._hidden = fresh

    def _show_nothing_yet(self) -> None:
        sessions = self._desk.sessions()
        url = next((session.url for session in sessions if session.kind == "VTN" and session.url), "")
        if url:
            text = "No messages yet. The VTN listens on"
            offered = button("Copy URL", "", "copy", lambda: QGuiApplication.clipboard().setText(url))
        elif not sessions:
            text, offered = self._nothing_runs()
        else:
            text, offered = "No messages yet. No session has sent or received one.", None
        if self._nothing_yet.accessibleName() == text + url:
            return
        fresh = empty_state(text, url, offered)
        fresh.setAccessibleName(text + url)
        self._swap(NOTHING_YET_PAGE, self._nothing_yet, fresh)
        self._nothing_yet = fresh

    def _nothing_runs(self) -> tuple[str, Button | None]:
        if self._starting:
            return "The demo is starting: a VTN, a VEN and a house. That takes a few seconds.", None
        text = "Nothing runs yet. The demo starts a VTN, a VEN and a house in this window."
        return text, button("Start the demo", "primary", "play", self.start_demo)

    def start_demo(self) -> None:
        """Start the lab on this desk, and say so until it runs or cannot."""
        outcome = self._desk.start_lab()
        self._starting = outcome.ok
        if not outcome.ok:
            self._tell("error", outcome.text)
        self._update_state()

    def _look_for_trouble(self) -> None:
        told = next((each for each in self._desk.findings() if each.rule == START_RULE), None)
        if told is not None:
            self._starting = False
            self._tell("error", f"The demo could not start. {told.text}")
            self._update_state()

    def _tell(self, kind: str, text: str) -> None:
        """A sentence above the list, until it is closed."""
        self._told.set_notice(kind, text)
        self._told_box.show()

    def _swap(self, place: int, old: QWidget, new: QWidget) -> None:
        self._pages.removeWidget(old)
        old.deleteLater()
        self._pages.insertWidget(place, new)
