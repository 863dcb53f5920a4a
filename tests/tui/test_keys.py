from __future__ import annotations

from itertools import combinations

import pytest

from tracetui.tui.keys import ACTIONS, Keymap, Where, spelled, table


def test_every_action_is_described_and_its_keys_are_its_own_in_each_place():
    seen: dict[tuple[str, str], str] = {}
    for action in ACTIONS:
        assert action.description and action.keys and action.where and action.group, action.id
        for place in action.where:
            for key in action.keys:
                assert (place, key) not in seen, f"{key} in {place}: {action.id} and {seen[place, key]}"
                seen[place, key] = action.id
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_no_key_begins_a_chord_and_acts_alone():
    for action, other in combinations(ACTIONS, 2):
        shared = set(action.where) & set(other.where)
        for key in action.keys:
            for longer in other.keys:
                if shared and " " in longer:
                    assert longer.partition(" ")[0] != key, (action.id, other.id)


def test_a_scoring_key_means_the_same_on_rows_and_in_the_detail():
    for action in ACTIONS:
        if action.id.startswith("score."):
            assert set(action.where) == {Where.ROWS, Where.DETAIL}


@pytest.mark.parametrize("action", list(ACTIONS), ids=lambda action: action.id)
def test_pressing_its_keys_gives_the_action(action):
    for place in action.where:
        for key in action.keys:
            keymap = Keymap()
            pressed = [keymap.press(place, part) for part in key.split(" ")]
            assert pressed[-1] is action


def test_a_chord_that_ends_in_nothing_is_forgotten():
    keymap = Keymap()
    assert keymap.press(Where.ROWS, "]") is None
    assert keymap.pending == "]"
    assert {key for key, _ in keymap.second(Where.ROWS)} >= {"e", "u", "f", "m", "x", "t", "T"}
    assert keymap.press(Where.ROWS, "Z") is None
    assert keymap.pending == ""
    assert keymap.press(Where.ROWS, "j").id == "cursor.down"


@pytest.mark.parametrize(
    ("key", "character", "spelling"),
    [
        ("space", " ", "space"),
        ("right_square_bracket", "]", "]"), ("question_mark", "?", "?"), ("escape", None, "esc"),
        ("G", "G", "G"), ("pagedown", None, "pgdn"), ("ctrl+u", None, "ctrl+u"), ("alt+left", None, "alt+left"),
        ("enter", "\r", "enter"), ("tab", "\t", "tab"), ("backspace", "\x7f", "backspace"), ("escape", "\x1b", "esc"),
    ],
)  # fmt: skip
def test_spelling(key, character, spelling):
    assert spelled(key, character) == spelling


def test_the_table_has_a_line_for_every_action():
    assert len(table().splitlines()) == len(ACTIONS) + 2
