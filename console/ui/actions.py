"""What can be done in the window, as data: menus, shortcuts, tooltips and the command palette come from these lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenuBar, QWidget

MENUS = ("File", "Edit", "View", "Session", "Event", "Report", "Site", "Help")


def always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Action:
    """One thing an operator can do."""

    id: str
    """``event.cancel``: area and verb; also the stable name in tests and settings."""
    text: str
    """As in the menu; ``…`` at the end when a choice follows."""
    menu: str
    """One of :data:`MENUS`."""
    run: Callable[[], object]
    key: str = ""
    """QKeySequence text, ``Ctrl+K``."""
    when: Callable[[], bool] = always
    """Whether it can be done now; asked when a menu opens and when the shortcut is hit."""
    tip: str = ""
    """What it does, in a sentence."""


class ActionBook(QObject):
    """Every action of the window, and the QActions made from them."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.actions: list[Action] = []
        self._made: dict[str, QAction] = {}

    def add(self, actions: Sequence[Action]) -> None:
        """Take actions in.

        Raises
        ------
        ValueError
            Where an id or a shortcut is already taken.
        """
        for action in actions:
            if action.id in self._made:
                raise ValueError(f"two actions are called {action.id}")
            taken = next((each.id for each in self.actions if action.key and each.key == action.key), None)
            if taken:
                raise ValueError(f"{action.key} belongs to {taken} and cannot be {action.id} too")
            self.actions.append(action)
            self._made[action.id] = self._make(action)

    def _make(self, action: Action) -> QAction:
        made = QAction(action.text, self._window)
        made.setObjectName(action.id)
        made.setToolTip(action.tip)
        made.setStatusTip(action.tip)
        if action.key:
            made.setShortcut(QKeySequence(action.key))
        made.triggered.connect(lambda _checked=False, action=action: self.run(action))
        self._window.addAction(made)
        return made

    def run(self, action: Action) -> bool:
        """Do it if it can be done now; says whether it was."""
        if not action.when():
            return False
        action.run()
        return True

    def by_id(self, name: str) -> Action:
        """
        Raises
        ------
        KeyError
            For an id that no action has.
        """
        found = next((action for action in self.actions if action.id == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def fill(self, bar: QMenuBar) -> None:
        """Make the menus; those without an action are left out."""
        bar.clear()
        for name in MENUS:
            among = [action for action in self.actions if action.menu == name]
            if not among:
                continue
            menu = bar.addMenu(name)
            menu.setToolTipsVisible(True)
            for action in among:
                menu.addAction(self._made[action.id])
            menu.aboutToShow.connect(self._enable)
            menu.aboutToHide.connect(self._enable_all)

    @Slot()
    def _enable(self) -> None:
        for action in self.actions:
            self._made[action.id].setEnabled(action.when())

    @Slot()
    def _enable_all(self) -> None:
        """A disabled QAction would swallow its shortcut after things have changed."""
        for made in self._made.values():
            made.setEnabled(True)
