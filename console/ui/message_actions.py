"""What an operator can do with messages, as lines of data; letters work while the list has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.ui.actions import Action

if TYPE_CHECKING:
    from console.ui.messages import MessagesView

LETTERS = {
    "message.mark": "M",
    "message.note": "N",
    "message.follow_exchange": "F",
    "message.follow_event": "Shift+F",
    "message.diff_previous": "D",
    "message.diff_marked": "Shift+D",
}
"""Letter by action; one of a menu would be typed into every text field."""


def actions_of(view: MessagesView) -> list[Action]:
    """All of them, for menus, palette and the list's letters."""
    return [*_reading(view), *_finding(view), *_following(view)]


def _reading(view: MessagesView) -> list[Action]:
    inspector = view.inspector
    return [
        Action("edit.copy_message", "Copy message row", "Edit", run=view.table.copy_row, when=view.has_chosen,
               tip="Copies the selected row as tab-separated text."),
        Action("edit.copy_source", "Copy message source", "Edit", key="Ctrl+Shift+C", when=view.has_chosen,
               run=inspector.copy_source, tip="Copies the indented XML of the selected message."),
        Action("edit.copy_xpath", "Copy XPath of element", "Edit", run=inspector.copy_xpath,
               when=lambda: bool(inspector.tree.current_path()),
               tip="Copies an XPath that finds the selected element in the message."),
        Action("edit.copy_defect", "Copy as defect report", "Edit", run=inspector.copy_defect_report,
               when=view.has_chosen,
               tip="Copies what was sent, what is wrong with it and by which rule, for the peer's maker."),
        Action("message.mark", "Mark message", "Edit", run=view.toggle_mark, when=view.has_chosen,
               tip="Marks the message, or takes its mark away. M in the list does the same."),
        Action("message.note", "Write a note on the message", "Edit", run=inspector.write_note, when=view.has_chosen,
               tip="Keeps a line of text with the message, in the recording. N in the list does the same."),
        Action("message.next_mark", "Next marked message", "Edit", key="Ctrl+F2", run=view.go_to_mark,
               when=lambda: bool(view.marks.notes), tip="Goes to the next message that is marked."),
        Action("message.previous_mark", "Previous marked message", "Edit", run=lambda: view.go_to_mark(-1),
               when=lambda: bool(view.marks.notes), tip="Goes to the message marked before this one."),
    ]  # fmt: skip


def _finding(view: MessagesView) -> list[Action]:
    bar, find = view.filter_bar, view.find_bar
    return [
        Action("edit.filter", "Filter messages", "Edit", key="Ctrl+L", run=view.focus_filter,
               tip="Puts the cursor in the filter bar."),
        Action("edit.filter_off", "Switch filter off and on", "Edit", key="Ctrl+/", run=bar.toggle,
               when=lambda: bool(bar.edit.text()), tip="Shows all messages without losing the filter."),
        Action("edit.find", "Find in bodies", "Edit", key="Ctrl+F", run=view.open_find,
               tip="Looks for a text in the bodies of the messages shown, without hiding any."),
        Action("edit.find_next", "Next hit", "Edit", key="F3", run=lambda: find.step(1), when=lambda: bool(find.text),
               tip="Goes to the next message that holds the text."),
        Action("edit.find_previous", "Previous hit", "Edit", key="Shift+F3", run=lambda: find.step(-1),
               when=lambda: bool(find.text), tip="Goes to the message before that holds the text."),
        Action("edit.next_finding", "Next finding of the message", "Edit", key="Ctrl+.",
               run=view.inspector.next_finding, when=view.has_findings,
               tip="Goes to the next element that has a finding."),
        Action("view.pause", "Pause or resume the tail", "View", run=view.toggle_pause,
               tip="A paused list stands still and counts what comes in. Space in the list does the same."),
    ]  # fmt: skip


def _following(view: MessagesView) -> list[Action]:
    inspector = view.inspector
    return [
        Action("session.follow_exchange", "Go to the other half of the exchange", "Session", key="Ctrl+J",
               run=view.go_to_partner, when=view.has_partner, tip="From a request to its answer, and back."),
        Action("message.follow_exchange", "Follow the conversation", "Session", run=view.follow_exchange,
               when=view.has_chosen,
               tip="Shows only the exchanges this message is part of. F in the list does the same."),
        Action("message.follow_event", "Follow the event", "Session", run=lambda: view.follow("event"),
               when=lambda: bool(view.ids("event")),
               tip="Shows every message about this eventID, in all modifications. Shift+F in the list does the same."),
        Action("message.follow_report", "Follow the report request", "Session", run=lambda: view.follow("report"),
               when=lambda: bool(view.ids("report")), tip="Shows every message about this reportRequestID."),
        Action("message.follow_registration", "Follow the registration", "Session", run=view.follow_registration,
               when=view.has_chosen, tip="Shows how this peer asked, registered and left."),
        Action("message.plot", "Plot this value", "View", run=inspector.plot_value, when=inspector.can_plot,
               tip="What the selected element was in every message of its kind. P in the tree does the same."),
        Action("message.diff_previous", "Compare with the previous of its kind", "View",
               run=inspector.compare_with_previous, when=view.has_chosen,
               tip="What changed since the last such message, or the modification before this. D in the list."),
        Action("message.diff_marked", "Compare with the marked message", "View", run=inspector.compare_with_marked,
               when=lambda: view.has_chosen() and bool(view.marks.notes),
               tip="What differs from the message marked last. Shift+D in the list."),
    ]  # fmt: skip
