"""The window around the views: tabs, actions, palette, sidebar, strips, themes, names for a reader, a clean end."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QTabBar, QWidget
from pytestqt.qtbot import QtBot

import console.ui
from console.app.views import FindingView, SessionState
from console.openadr.findings import Severity
from console.ui.actions import MENUS, Action, ActionBook
from console.ui.collector import Collector
from console.ui.command_palette import matching
from console.ui.sidebar import FOLDED_WIDTH
from console.ui.strips import FindingStrip, StatusBar, foremost
from console.ui.theme import SIDE_WIDTH, apply_theme, current_theme
from console.ui.window import VIEWS, Window
from tests.ui.fake_desk import FakeDesk, empty_desk
from tests.ui.fake_lab import URL

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


def opened(qtbot: QtBot, qapp: QApplication, desk: FakeDesk) -> Window:
    apply_theme(qapp, "light")
    window = Window()
    window.follow_system(False)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.attach(desk)
    return window


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, desk: FakeDesk) -> Iterator[Window]:
    made = opened(qtbot, qapp, desk)
    yield made
    made.let_go()


def test_it_is_painted_before_there_is_a_desk(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    window = Window()
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.painted, timeout=3000):
        window.show()
    assert window.current_view() == ""
    window.let_go()


def test_the_frame_loads_without_what_plots_need() -> None:
    code = (
        "import sys, console.ui.application;"
        "heavy = ('numpy', 'pyqtgraph', 'scipy', 'lxml', 'aiohttp', 'sqlalchemy');"
        "print([name for name in heavy if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert ran.stdout.strip() == "[]"


def test_every_view_has_its_tab_and_its_key(window: Window) -> None:
    names = [name for name, _, _ in VIEWS]
    assert [window.tabs.tabText(k) for k in range(window.tabs.count())] == names
    for name in names:
        assert window.book.run(window.book.by_id(f"view.{name.lower()}"))
        assert window.current_view() == name
    assert [window.book.by_id(f"view.{name.lower()}").key for name in names] == [
        f"Ctrl+{k}" for k in range(1, len(VIEWS) + 1)
    ]


def test_only_the_view_in_front_is_refreshed(window: Window, desk: FakeDesk) -> None:
    told: list[str] = []
    for name, view in window.views.items():
        refresh = view.refresh

        def watched(changed: frozenset[str], name: str = name, refresh: object = refresh) -> None:
            told.append(name)

        view.refresh = watched  # pyright: ignore[reportAttributeAccessIssue]
    assert window.bridge is not None
    desk.append()
    window.bridge.tick()
    assert set(told) == {"Messages"}
    told.clear()
    window.show_view("Events")
    assert told == ["Events"]


def test_menus_come_from_the_actions(window: Window) -> None:
    titles = [action.text() for action in window._header.menus.actions()]
    assert titles == [name for name in MENUS if any(action.menu == name for action in window.book.actions)]
    assert all(action.tip or action.id == "view.full_screen" for action in window.book.actions)
    keys = [action.key for action in window.book.actions if action.key]
    assert len(keys) == len(set(keys))


def test_two_actions_may_not_share_a_key_or_a_name(qapp: QApplication, qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    book = ActionBook(holder)
    book.add([Action("a.b", "B", "File", lambda: None, "Ctrl+B")])
    with pytest.raises(ValueError, match=r"a\.b"):
        book.add([Action("a.b", "Again", "File", lambda: None)])
    with pytest.raises(ValueError, match=r"Ctrl\+B"):
        book.add([Action("a.c", "C", "File", lambda: None, "Ctrl+B")])
    with pytest.raises(KeyError):
        book.by_id("a.d")


def test_an_action_that_cannot_be_done_is_not(window: Window) -> None:
    copy = window.book.by_id("edit.copy_message")
    assert not window.book.run(copy)
    window.cursor_shared.select_message(412)
    assert window.book.run(copy)
    assert "oadrDistributeEvent" in QGuiApplication.clipboard().text()


def test_the_palette_finds_and_runs(qtbot: QtBot, window: Window) -> None:
    palette = window._palette
    assert window.book.run(window.book.by_id("file.commands"))
    assert palette.isVisible()
    qtbot.keyClicks(palette.typed, "dark theme")
    assert [action.id for action in palette.rows.actions] == ["view.theme_dark"]
    qtbot.keyClick(palette.typed, Qt.Key.Key_Return)
    assert not palette.isVisible()
    assert current_theme() == "dark"
    palette.open()
    qtbot.keyClick(palette.typed, Qt.Key.Key_Down)
    assert palette.listed.currentIndex().row() == 1
    qtbot.keyClick(palette.typed, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_the_palette_ranks_what_begins_with_the_text(window: Window) -> None:
    found = matching(window.book.actions, "messages")
    assert found[0].id == "view.messages"
    assert len(found) > 1
    assert matching(window.book.actions, "zzz") == []


def test_the_sidebar_lists_sessions_vens_and_devices(window: Window, desk: FakeDesk) -> None:
    sidebar = window._sidebar
    assert sidebar is not None
    names = [line.name for line in sidebar.rows.lines]
    assert names[:4] == ["Sessions", "vtn-lab", "ven-7", "Site A"]
    assert "VENs of vtn-lab" in names
    assert names[-1] == "Household"
    facts = {line.name: line.fact for line in sidebar.rows.lines}
    assert facts["ven-10"] == "offline 06:11"
    assert facts["ven-12"] == "not registered"
    assert facts["Battery"] == "−1.60\u00a0kW"


def test_a_session_in_the_sidebar_narrows_and_gives_back(window: Window) -> None:
    sidebar = window._sidebar
    assert sidebar is not None
    row = next(k for k, line in enumerate(sidebar.rows.lines) if line.name == "ven-7")
    sidebar.clicked.emit(sidebar.rows.index(row))
    assert window.cursor_shared.session_name == "ven-7"
    assert window.messages.table.rows.rowCount() == 4
    sidebar.clicked.emit(sidebar.rows.index(row))
    assert window.cursor_shared.session_name == ""
    assert window.messages.table.rows.rowCount() == 426


def test_a_selection_survives_a_new_line_in_the_sidebar(window: Window, desk: FakeDesk) -> None:
    sidebar = window._sidebar
    assert sidebar is not None and window.bridge is not None
    window.cursor_shared.select_ven("ven-8")
    assert sidebar.rows.lines[sidebar.currentIndex().row()].name == "ven-8"
    desk.ven_views = [replace(desk.ven_views[3], ven_id="ven-0"), *desk.ven_views]
    desk.touch("presence")
    window.bridge.tick()
    assert sidebar.rows.lines[sidebar.currentIndex().row()].name == "ven-8"


def test_a_session_that_fails_is_seen_in_the_header(window: Window, desk: FakeDesk) -> None:
    assert window.bridge is not None
    chips = window._header._chips
    assert [chip.accessibleName() for chip in chips if chip.isVisible()] == [
        "vtn-lab  HTTP :8080",
        "ven-7  vtn-utility",
    ]
    desk.session_views[1] = replace(desk.session_views[1], state=SessionState.FAILED, text="The VTN is unreachable.")
    desk.touch("sessions")
    window.bridge.tick()
    assert chips[1].toolTip() == "The VTN is unreachable."
    assert chips[1]._glyph == "failed"


def test_the_strip_shows_the_worst_and_leads_to_it(window: Window, desk: FakeDesk) -> None:
    strip = window.findChildren(FindingStrip)[0]
    assert strip._count.text() == "Findings 6"
    window.show_view("Site")
    strip._show.click()
    assert window.current_view() == "Messages"
    assert window.cursor_shared.message_number == 425
    assert foremost([]) is None
    assert foremost(desk.finding_views[2:]) is desk.finding_views[3]


def test_the_status_bar_says_who_listens_and_what_was_lost(window: Window, desk: FakeDesk) -> None:
    said = window.findChildren(StatusBar)[0].accessibleName()
    for text in (f"VTN vtn-lab listening on {URL}", "11 VENs", "+ is consumption", "0 dropped", "426 messages"):
        assert text in said
    assert said.endswith("10:42:18 +02:00")


def test_a_theme_changes_everything_at_once(window: Window, qapp: QApplication) -> None:
    light = window.grab().toImage()
    window.choose_theme("dark")
    dark = window.grab().toImage()
    window.choose_theme("light")
    assert dark.pixelColor(700, 10).lightness() < 80 < 200 < light.pixelColor(700, 10).lightness()
    assert window.grab().toImage().pixelColor(700, 10) == light.pixelColor(700, 10)


def test_a_small_window_folds_the_sidebar(window: Window, qapp: QApplication) -> None:
    assert window._sidebar is not None
    assert window._sidebar.width() == SIDE_WIDTH
    window.resize(1024, 640)
    assert (window.width(), window.height()) == (1024, 640)
    assert window._sidebar.width() == FOLDED_WIDTH
    window.resize(1440, 900)
    assert window._sidebar.width() == SIDE_WIDTH


def test_a_filter_from_another_view_brings_the_list_to_the_front(qtbot: QtBot, window: Window) -> None:
    window.show_view("Presence")
    window.cursor_shared.show_messages("peer == ven-12")
    assert window.current_view() == "Messages"
    assert window.messages.filter_bar.edit.text() == "peer == ven-12"
    assert window.messages.table.rows.rowCount() == 4
    window.show_view("Site")
    window.messages.focus_filter()
    qtbot.keyClick(window.messages.filter_bar.edit, Qt.Key.Key_Return)
    assert window.current_view() == "Messages"


def test_focus_stays_with_its_view(window: Window) -> None:
    window.cursor_shared.select_message(412)
    window.messages.table.setFocus()
    window.show_view("Events")
    assert window.focusWidget() is window.tabs
    window.show_view("Messages")
    assert window.focusWidget() is window.messages.table
    window.messages.filter_bar.edit.setFocus()
    window.show_view("Site")
    assert window.focusWidget() is window.messages.filter_bar.edit


def test_closing_is_told_until_everything_has_stopped(qtbot: QtBot, qapp: QApplication, desk: FakeDesk) -> None:
    window = opened(qtbot, qapp, desk)
    with qtbot.waitSignal(window.closing):
        window.close()
    assert window.isVisible()
    window.let_go()
    assert not window.isVisible()


def interactive(window: Window) -> Iterator[QWidget]:
    for widget in window.findChildren(QWidget):
        focusable = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if (
            widget.focusProxy() is None
            and widget.isVisible()
            and (focusable or isinstance(widget, QAbstractButton | QLineEdit | QComboBox | QTabBar))
        ):
            yield widget


def test_everything_that_takes_focus_has_a_name(window: Window) -> None:
    nameless: list[str] = []
    for name, _, _ in VIEWS:
        window.show_view(name)
        for widget in interactive(window):
            face = QAccessible.queryAccessibleInterface(widget)
            if face is None or not (face.text(QAccessible.Text.Name) or widget.toolTip()):
                nameless.append(f"{name}: {type(widget).__name__} in {type(widget.parent()).__name__}")
    assert nameless == []


def test_nothing_blocks_the_loop_by_a_modal_call() -> None:
    folder = Path(console.ui.__file__).parent
    calls = [
        f"{source.name}:{node.lineno}"
        for source in sorted(folder.glob("*.py"))
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("exec", "exec_")
    ]
    assert calls == []


def test_an_empty_desk_is_shown_without_a_complaint(
    qtbot: QtBot, qapp: QApplication, capfd: pytest.CaptureFixture[str]
) -> None:
    desk = empty_desk()
    desk.session_views = []
    window = opened(qtbot, qapp, desk)
    for name, _, _ in VIEWS:
        window.show_view(name)
        window.grab()
    assert not window.book.by_id("session.copy_url").when()
    assert window.book.by_id("session.start_lab").when()
    window.let_go()
    said = capfd.readouterr().err.replace("This plugin does not support propagateSizeHints()", "").strip()
    assert said == ""


def test_a_run_takes_pictures_and_ends_cleanly(tmp_path: Path) -> None:
    code = f"""
from contextlib import asynccontextmanager
from pathlib import Path
from tests.ui.fake_desk import FakeDesk
from console.ui.run import run

@asynccontextmanager
async def lab():
    print("started", flush=True)
    yield FakeDesk()
    print("stopped", flush=True)

code = run(lab, for_seconds=0.1, shots=Path({str(tmp_path)!r}), theme="dark",
           milestone=lambda name, value: print(name, value >= 0, flush=True))
print("code", code)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split("\n")[:6] == [
        "first_paint True",
        "started",
        "attached True",
        "longest_gap True",
        "stopped",
        "code 0",
    ]
    assert "Traceback" not in ran.stderr and "deleted" not in ran.stderr and "Task was destroyed" not in ran.stderr
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(f"{name.lower()}-{theme}.png" for name, _, _ in VIEWS for theme in ("light", "dark"))
    assert all(path.stat().st_size > 20_000 for path in tmp_path.iterdir())


def test_where_both_ends_are_ours_the_vtns_side_is_shown_first(qtbot: QtBot, qapp: QApplication) -> None:
    desk = FakeDesk()
    desk.session_views[1] = replace(desk.session_views[1], url=URL)
    window = opened(qtbot, qapp, desk)
    bar = window.messages.filter_bar
    assert window.cursor_shared.session_name == "vtn-lab"
    assert bar.frame.result == "422 of 426 shown, session vtn-lab"
    assert window._sidebar is not None and window._sidebar.currentIndex().row() == 1
    window._sidebar._activate(window._sidebar.currentIndex())
    assert bar.frame.result == "426 of 426 shown"
    desk.touch("sessions")
    assert window.bridge is not None
    window.bridge.tick()
    assert window.cursor_shared.session_name == "", "it was chosen once; the rest is the operator's"
    window.let_go()


def test_where_one_end_is_ours_everything_is_shown(window: Window) -> None:
    assert window.cursor_shared.session_name == ""


def test_the_count_is_true_while_another_view_is_in_front(window: Window, desk: FakeDesk) -> None:
    window.show_view("Site")
    desk.append(5)
    assert window.bridge is not None
    window.bridge.tick()
    assert window.messages.filter_bar.frame.result == "431 of 431 shown"


def test_the_header_says_for_how_long_it_has_recorded(window: Window) -> None:
    assert window._header._recording.isVisible()
    assert window._header._recording.accessibleName() == "Rec 1:12:00"


def test_a_demo_that_is_asked_for_is_said_to_start_and_why_it_did_not(qtbot: QtBot, qapp: QApplication) -> None:
    desk = empty_desk()
    desk.session_views = []
    window = opened(qtbot, qapp, desk)
    assert window.book.run(window.book.by_id("session.start_lab"))
    assert "is starting" in window.messages._nothing_yet.accessibleName()
    trouble = FindingView(desk.now(), 0, Severity.ERROR, "start", "Port 8080 is in use by another program.")
    desk.finding_views = [trouble]
    desk.touch("findings")
    assert window.bridge is not None
    window.bridge.tick()
    assert window.messages._told_box.isVisible()
    assert "could not start. Port 8080" in window.messages._told.accessibleName()
    assert "Nothing runs yet" in window.messages._nothing_yet.accessibleName()
    window.let_go()


def test_garbage_is_collected_on_the_windows_thread_alone(qtbot: QtBot) -> None:
    was = gc.isenabled()
    collector = Collector()
    assert not gc.isenabled(), "another thread that allocates collects nothing"
    alive = weakref.WeakSet[QObject]()

    def leave_a_cycle() -> None:
        made = QObject()
        alive.add(made)
        held: list[object] = [made]
        held.append(held)

    for _ in range(2000):
        leave_a_cycle()
    assert len(alive) == 2000
    collector.look()
    assert len(alive) < 2000
    collector.let_go()
    assert gc.isenabled() == was
