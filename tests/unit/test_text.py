"""Outside text is shown, and does nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tracetui.model.text import display

HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Controls, formatting (bidi, zero width, tags), surrogates, separators of lines and paragraphs."""

anything = st.text(alphabet=st.characters(), max_size=60) | st.text(
    alphabet="a \t\r\n\x1b\x9b[]m\u202e\u2066\u200b\u200d\ufeff\ud800\udfff\ufe0f😀é\u0301\U000e0041",
    max_size=40,
)


@pytest.mark.parametrize("lines", [False, True])
def test_every_character_of_unicode_that_acts_or_hides_is_named(lines: bool) -> None:
    allowed = {"\n"} if lines else set()
    for code in range(0x110000):
        char = chr(code)
        if unicodedata.category(char) in HARMFUL and char not in allowed:
            assert char not in display(f"a{char}b", lines=lines), hex(code)


@given(anything, st.booleans())
def test_nothing_harmful_comes_out_of_any_text(text: str, lines: bool) -> None:
    shown = display(text, lines=lines)
    harmful = {char for char in shown if unicodedata.category(char) in HARMFUL}
    assert harmful <= ({"\n"} if lines else set())
    shown.encode("utf-8")


@given(anything, st.booleans())
def test_showing_what_is_shown_changes_nothing(text: str, lines: bool) -> None:
    once = display(text, lines=lines)
    assert display(once, lines=lines) == once


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_left_as_it_is(text: str) -> None:
    assert display(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b2J", "\\x9b2J"),
        ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
        ("pass\u200bword", "pass\\u200bword"),
        ("half \ud83d pair", "half \\ud83d pair"),
        ("tag\U000e0068\U000e0069", "tag\\U000e0068\\U000e0069"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
        ("⚠\ufe0f 👩\u200d🚀", "⚠ 👩🚀"),
        ("A\ufe00\ufe0f\ufe01", "A\\ufe00\\ufe0f\\ufe01"),
        ("one\r\n  two\tthree", "one two three"),
        ("\ufffd", "\ufffd"),
    ],
)
def test_on_one_line(text: str, shown: str) -> None:
    assert display(text) == shown


def test_on_several_lines() -> None:
    assert display("a\tb\r\nc\rd\n\x0c", lines=True) == "a   b\nc\\rd\n\\x0c"


def test_a_pile_of_marks_on_one_letter_is_counted() -> None:
    assert display("o" + "\u0301" * 500 + "k") == "o" + "\u0301" * 4 + "[+496 marks]k"
    assert cell_len(display("o" + "\u0301" * 500 + "k")) == len("o[+496 marks]k")


def test_what_is_long_is_cut_before_it_is_looked_at() -> None:
    text = "\x1b" * 50_000_000
    assert display(text, limit=3) == "\\x1b\\x1b\\x1b…"
    assert display("abc", limit=3) == "abc"
