"""The keys are described, in the program and in the docs."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from tracetui.cli.keys import command
from tracetui.tui.keys import ACTIONS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_action_has_a_key_a_description_and_a_place() -> None:
    for action in ACTIONS:
        assert action.keys, action.id
        assert action.description.strip(), action.id
        assert action.where, action.id
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_no_key_does_two_things_in_one_place() -> None:
    bound: dict[tuple[str, str], str] = {}
    for action in ACTIONS:
        for place in action.where:
            for key in action.keys:
                assert bound.setdefault((place, key), action.id) == action.id, (place, key)


def test_the_page_of_keys_is_the_table_of_the_program() -> None:
    shown = CliRunner().invoke(command, ["--format", "md"])
    assert (DOCS / "keys.md").read_text("utf-8") == shown.output, "tracetui keys --format md > docs/keys.md"
