"""Device cards: what they tell, their bars, their columns."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from console.app.views import DeviceView
from console.ui.device_cards import CardBoard, bar_of, facts_of
from tests.ui.fake_lab import lab_site

DEVICES = {device.name: device for device in lab_site().devices}
BLANK = "\u00a0"


def test_the_charge_point_tells_what_it_does_was_told_and_wants() -> None:
    assert facts_of(DEVICES["EVSE"]) == [
        ("Actual", f"7.59{BLANK}kW"),
        ("Setpoint", f"11{BLANK}A, 7.59{BLANK}kW"),
        ("Wanted", f"11.04{BLANK}kW"),
        ("SoC", f"44{BLANK}%, 26.4 of 60{BLANK}kWh"),
        ("Full", "16:40"),
    ]


def test_signs_are_those_of_the_convention() -> None:
    assert facts_of(DEVICES["PV roof"]) == [
        ("Actual", f"\u22122.35{BLANK}kW"),
        ("Could give", f"\u22122.35{BLANK}kW"),
    ]


def test_a_fact_of_the_device_does_not_repeat_what_the_card_says() -> None:
    device = replace(DEVICES["EVSE"], facts=(("SoC", "44 %"), ("Car", "plugged in")))
    names = [name for name, _ in facts_of(device)]
    assert names.count("SoC") == 1
    assert names[-1] == "Car"


def test_what_never_changes_or_is_told_already_waits_in_the_tooltip(qtbot: QtBot) -> None:
    battery = replace(DEVICES["Battery"], facts=(("Stored", "6.1 of 10 kWh"), ("Can take", "5.0 kW"), ("Cells", "96")))
    assert [name for name, _ in facts_of(battery)] == ["Actual", "Setpoint", "SoC", "Cells"]
    board = CardBoard()
    qtbot.addWidget(board)
    board.show_devices([battery])
    assert board.cards[0].toolTip().splitlines() == ["Battery: discharging", "Stored 6.1 of 10 kWh", "Can take 5.0 kW"]
    board.show_devices([replace(battery, facts=(("Stored", "5.0 of 10 kWh"),))])
    assert board.cards[0].toolTip().splitlines() == ["Battery: discharging", "Stored 5.0 of 10 kWh"]


def test_a_roof_tells_what_it_could_give_once_and_what_was_lost_only_if_any() -> None:
    roof = replace(
        DEVICES["PV roof"],
        wanted_w=-2350.0,
        facts=(("Peak", "5.0 kW"), ("Inverter", "4.2 kW"), ("Curtailed", "0 Wh")),
    )
    assert [name for name, _ in facts_of(roof)] == ["Actual", "Could give"]
    limited = replace(roof, setpoint_w=-2000.0, facts=(("Peak", "5.0 kW"), ("Curtailed", "12 Wh")))
    assert [name for name, _ in facts_of(limited)] == ["Actual", "Setpoint", "Could give", "Curtailed"]


def test_a_cars_target_and_departure_are_one_line() -> None:
    car = replace(DEVICES["EVSE"], facts=(("Phases", "3"), ("Target", "80%"), ("Departure", "17:30")))
    assert facts_of(car)[-1] == ("Target", f"80{BLANK}% by 17:30")
    assert [name for name, _ in facts_of(car)] == ["Actual", "Setpoint", "Wanted", "SoC", "Target"]
    stays = replace(car, facts=(("Target", "80%"),))
    assert facts_of(stays)[-1] == ("Target", f"80{BLANK}%")


def test_the_bar_runs_to_the_rating_and_both_ways_for_a_battery() -> None:
    start, end, mark = bar_of(DEVICES["EVSE"]) or (9, 9, 9)
    assert (start, end, mark) == (0.0, pytest.approx(7590 / 11040), pytest.approx(7590 / 11040))
    start, end, mark = bar_of(DEVICES["Battery"]) or (9, 9, 9)
    assert (start, end, mark) == (pytest.approx(0.34), 0.5, pytest.approx(0.34))
    start, end, _ = bar_of(replace(DEVICES["Battery"], power_w=2500.0)) or (9, 9, 9)
    assert (start, end) == (0.5, 0.75)
    assert bar_of(DEVICES["Household"]) is None, "without a rating a bar would say nothing"


def test_a_bar_stays_inside_its_frame_above_the_rating() -> None:
    start, end, mark = bar_of(replace(DEVICES["EVSE"], power_w=14_000.0)) or (9, 9, 9)
    assert start == 0.0
    assert end == 1.0
    assert mark is not None and mark <= 1.0


@pytest.fixture
def board(qtbot: QtBot) -> CardBoard:
    board = CardBoard()
    qtbot.addWidget(board)
    board.show_devices(lab_site().devices)
    with qtbot.waitExposed(board):
        board.show()
    return board


def test_cards_stand_in_the_columns_there_is_room_for(board: CardBoard) -> None:
    def columns(width: int) -> int:
        board.resize(width, 600)
        cards = board.cards
        for k, card in enumerate(cards):
            for other in cards[k + 1 :]:
                assert not card.geometry().intersects(other.geometry())
            assert card.geometry().right() < width
            assert card.geometry().bottom() < board.minimumHeight()
        return len({card.x() for card in cards})

    assert columns(288) == 1
    assert columns(816) == 3


def test_cards_come_and_go_with_their_devices(board: CardBoard) -> None:
    kept = board.cards[0]
    car = DeviceView("Second car", "ev", 3680.0, "charging", max_w=11_040.0)
    board.show_devices([lab_site().devices[0], car])
    assert [card.device.name for card in board.cards] == ["PV roof", "Second car"]
    assert board.cards[0] is kept
    assert board.cards[1].accessibleName() == "Second car: charging"


def test_a_card_tells_a_reader_what_it_shows(board: CardBoard) -> None:
    battery = next(card for card in board.cards if card.device.name == "Battery")
    assert battery.accessibleName() == "Battery: discharging"
    assert f"SoC 61{BLANK}%, 6.1 of 10{BLANK}kWh" in battery.accessibleDescription()
    board.show_devices([replace(device, state="idle", power_w=0.0) for device in lab_site().devices])
    assert battery.accessibleName() == "Battery: idle"
    assert battery.accessibleDescription().startswith(f"Actual 0{BLANK}W")


def test_a_card_is_chosen_by_mouse_and_by_keys(board: CardBoard, qtbot: QtBot) -> None:
    chosen: list[str] = []
    board.device_chosen.connect(chosen.append)
    board.resize(288, 700)
    qtbot.mouseClick(board.cards[1], Qt.MouseButton.LeftButton)
    qtbot.keyClick(board.cards[2], Qt.Key.Key_Return)
    qtbot.keyClick(board.cards[3], Qt.Key.Key_Space)
    assert chosen == ["Battery", "EVSE", "Washer"]
