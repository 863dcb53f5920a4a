from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.style import Style

from tracetui.model.errors import InputError
from tracetui.tui import ink


def test_the_default_theme_has_every_role():
    theme = ink.default()
    assert all(theme.colours[role] for role in ink.ROLES)
    assert theme.on("match").underline


def test_every_sign_is_one_cell():
    for signs in (ink.UNICODE, ink.ASCII):
        single = [signs.kind(kind) for kind in (*signs.kinds, "nothing")]
        single += [getattr(signs, name) for name in signs._fields if name != "kinds"]
        assert all(cell_len(char) == 1 for text in single for char in text)
    assert all(char.isascii() for kind in ink.ASCII.kinds.values() for char in kind)


@pytest.mark.parametrize(
    ("name", "value", "signs"),
    [("LC_ALL", "C", ink.ASCII), ("LC_ALL", "en_GB.UTF-8", ink.UNICODE), ("LANG", "de_DE.utf8", ink.UNICODE),
     ("LC_CTYPE", "POSIX", ink.ASCII), ("OTHER", "x", ink.UNICODE)],
)  # fmt: skip
def test_the_locale_chooses_the_signs(monkeypatch, name, value, signs):
    for variable in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, value)
    assert ink.glyphs() is signs


def test_without_colour_there_is_none():
    theme = ink.default(colour=False)
    assert not any(theme.colours.values())
    assert theme.on("muted").dim and theme.cell("bad").reverse and theme.on("bad").bold


def test_a_theme_without_grounds_uses_attributes(tmp_path):
    path = tmp_path / "plain.toml"
    path.write_text('[colours]\nbad = "bright_red"\n[attributes]\nmuted = ["dim"]\n')
    theme = ink.load(path)
    assert theme.on("muted", "cursor").dim and theme.on("muted", "cursor").bgcolor is None
    assert theme.cell("bad").reverse


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[colours]\nbaad = "#fff"', "'baad'"), ('[colours]\nbad = "notacolour"', "bad = 'notacolour'"),
        ("[colours", "plain.toml"), ('[attributes]\nbad = ["blink"]', "'bad'"),
    ],
)  # fmt: skip
def test_a_wrong_theme_is_named(tmp_path, text, named):
    path = tmp_path / "plain.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        ink.load(path)
    assert named in caught.value.message


def test_a_blank_takes_the_style_before_it_where_the_ground_is_the_same():
    theme = ink.default()
    bad, quiet, chip = theme.on("bad"), theme.on("muted"), theme.on("bad", "bad-bg")
    woven = ink.weave([("x", bad), ("  ", quiet), (" y", quiet), (" ", chip), ("z", chip)])
    assert [(segment.text, segment.style) for segment in woven] == [("x   ", bad), ("y", quiet), (" z", chip)]


def test_a_blank_is_not_underlined_by_what_stands_before_it():
    line, plain = Style(underline=True), Style()
    assert [segment.text for segment in ink.weave([("a", line), (" ", plain)])] == ["a", " "]
