"""The frame of the command line: what is said, where, and with which exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tracetui.cli import main, params
from tracetui.model.errors import ExitCode, InputError, StoreError
from tracetui.model.records import Batch, RunRecord
from tracetui.store.writer import Writer


def a_store(path: Path) -> None:
    with Writer(path, create=True) as writer:
        writer.write(Batch((RunRecord(id="t:0/1", trace="t:0", kind="llm", name="llm"),)))


def program(*line: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracetui", *line],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, **kwargs,  # type: ignore[call-overload]
    )  # fmt: skip


def test_a_missing_store_is_named_and_the_way_to_make_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["nowhere.db"]) == ExitCode.STORE
    said = capsys.readouterr()
    assert said.out == ""
    assert "nowhere.db" in said.err
    assert "tracetui import nowhere.db" in said.err


@pytest.mark.parametrize("line", [["improt", "a.db", "runs"], ["improt"]])
def test_a_mistyped_verb_is_told_the_nearest(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(line) in (ExitCode.USAGE, ExitCode.STORE)
    assert "Did you mean `tracetui import`?" in capsys.readouterr().err


def test_an_unknown_option_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--loud"]) == ExitCode.USAGE
    assert "--loud" in capsys.readouterr().err


def test_what_is_no_store_is_said_before_the_screen_is_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = tmp_path / "notes.txt"
    foreign.write_text("milk, bread\n" * 100)
    assert main.run([str(foreign)]) == ExitCode.STORE
    assert str(foreign) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("No", "that is not it", "this is"), ExitCode.USAGE),
        (StoreError("No", "that is not it", "this is"), ExitCode.STORE),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (PermissionError(13, "Permission denied", "/etc/shadow"), ExitCode.USAGE),
        (ZeroDivisionError("a mistake of ours"), 70),
    ],
)
def test_errors_become_words_and_codes(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setitem(main.cli.commands, "stats", command)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main.run(["stats"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    for words in (
        getattr(error, "message", ""),
        getattr(error, "hint", ""),
        str(getattr(error, "filename", None) or ""),
    ):
        assert words in said.err


def test_a_closed_pipe_ends_quietly() -> None:
    code = (
        "import click; from tracetui.cli import main\n"
        "lines = lambda: [click.echo('x' * 99) for _ in range(99999)] and None\n"
        "main.cli.add_command(click.Command('stats', callback=lines))\n"
        "raise SystemExit(main.run(['stats']))"
    )
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'"{sys.executable}" -c "$CODE" | head -1'],
        env={**os.environ, "CODE": code}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout == "x" * 99 + "\n"
    assert done.stderr == ""


def test_streams_that_are_closed_break_nothing(tmp_path: Path) -> None:
    a_store(tmp_path / "s.db")
    verb = [sys.executable, "-m", "tracetui", "query"]
    for stream in (">&-", "2>&-", "<&-"):
        line = f'exec "$0" "$@" {stream}'
        assert subprocess.run(["sh", "-c", line, *verb, str(tmp_path / "s.db")], check=False).returncode == 0
        assert subprocess.run(["sh", "-c", line, *verb, str(tmp_path / "none.db")], check=False).returncode == 3


def test_a_file_that_may_not_grow_is_said(tmp_path: Path) -> None:
    a_store(tmp_path / "s.db")
    (tmp_path / "labels.csv").write_text("id,key,value\n" + "".join(f"t:0,key{n},{n}\n" for n in range(2000)))
    line = [sys.executable, "-m", "tracetui", "import", str(tmp_path / "s.db"), str(tmp_path / "labels.csv")]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 100; exec "$0" "$@"', *line], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "cannot grow" in done.stderr
    assert main.run(["doctor", str(tmp_path / "s.db")]) == 0


def test_the_default_store_is_the_one_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRACETUI_STORE", str(tmp_path / "mine.db"))
    assert params.STORE.convert("@", None, None) == tmp_path / "mine.db"
    monkeypatch.delenv("TRACETUI_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert params.STORE.convert("@", None, None) == tmp_path / "tracetui" / "traces.db"


def test_the_shell_completes_verbs_and_files() -> None:
    done = program(
        env={**os.environ, "_TRACETUI_COMPLETE": "zsh_complete", "COMP_WORDS": "tracetui wo", "COMP_CWORD": "1"}
    )
    assert "worker" in done.stdout
    assert "file" in done.stdout.splitlines()


def test_without_a_terminal_the_explorer_says_what_to_do_instead(tmp_path: Path) -> None:
    from tracetui.store.db import connect_write

    store = tmp_path / "s.db"
    connect_write(store, create=True).close()
    done = program(str(store))
    assert done.returncode == ExitCode.USAGE
    assert f"tracetui query {store}" in done.stderr
