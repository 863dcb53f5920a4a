from __future__ import annotations

from tracetui.tui.editing import LIMIT, Line


def typed(line, *keys):
    for key in keys:
        assert line.press(key)
    return line


def test_typing_moving_and_removing():
    line = typed(Line(), *"status:errr", "left", "o", "del", "end")
    assert (line.text, line.at) == ("status:erro", 11)
    typed(line, "backspace", "backspace", "space", "x")
    assert line.text == "status:er x"
    typed(line, "ctrl+w", "ctrl+w")
    assert line.text == ""


def test_words_are_jumped_over():
    line = Line("one two  three", 14)
    typed(line, "ctrl+left")
    assert line.at == 9
    typed(line, "ctrl+left", "ctrl+k")
    assert line.text == "one "
    typed(line, "ctrl+u")
    assert line.text == ""


def test_a_key_that_does_nothing_here_says_so():
    assert not Line("x").press("enter")
    assert not Line("x").press("f5")


def test_pasted_text_is_one_harmless_bounded_line():
    line = Line()
    line.insert("a\nb\x1b[31m")
    assert line.text == "a b\\x1b[31m"
    line.insert("z" * (2 * LIMIT))
    assert len(line.text) == LIMIT
