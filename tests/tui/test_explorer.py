"""The explorer driven by its keys on a small store."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import BEGIN, S, driving, make_store, said_in, trace

from tracetui.model.errors import InputError
from tracetui.model.kinds import Level
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer
from tracetui.tui.acts import DETAIL, HANDLERS
from tracetui.tui.keys import Where, valid


def test_every_action_of_rows_and_detail_is_done_by_something() -> None:
    assert {action.id for action in valid(Where.ROWS)} <= HANDLERS.keys()
    assert {action.id for action in valid(Where.DETAIL)} <= DETAIL.keys()
    assert HANDLERS.keys() | DETAIL.keys() == {a.id for w in (Where.ROWS, Where.DETAIL) for a in valid(w)}


# -- looking


async def test_the_first_page(store: Path) -> None:
    async with driving(store) as drive:
        assert drive.lines()[0].split()[:4] == ["tracetui", "shop.db", "6", "threads"]
        names = [drive.tree.render_line(y).text.partition("▸ ")[2].split("  ")[0] for y in range(1, 7)]
        # newest first; a trace without a session stands for itself
        assert names == ["question 11", "question 10", "question 9", "thread-2", "thread-1", "thread-0"]
        assert drive.at.startswith("▌")
        assert "? all keys" in drive.footer


async def test_unfolding_and_folding(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("j", "j", "j")
        assert "thread-2" in drive.at
        await drive.press("l")
        assert len(drive.tree.outline) == 9
        await drive.press("l", "l")
        assert "question 6" in drive.at
        # a trace with one root run unfolds that too
        assert [key[0] for key in drive.tree.outline.path(drive.tree.cursor + 2)] == ["thread", "trace", "run", "run"]
        await drive.press("h", "h")
        assert "thread-2" in drive.at
        await drive.press("h")
        assert len(drive.tree.outline) == 6


async def test_next_error_unfolds_the_way_to_it_and_backspace_goes_back(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("]", "e")
        assert "lookup_order 7" in drive.at and "KeyError" in drive.at
        await drive.press("]", "e")
        assert "lookup_order 4" in drive.at
        await drive.press("[", "e", "backspace")
        assert "lookup_order 4" in drive.at
        await drive.press("]", "e", "]", "e")
        assert drive.said == "no further error"


async def test_chords_are_explained_and_forgotten(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("]")
        assert drive.footer.split()[:4] == ["next", "e", "error", "u"]
        await drive.press("z")
        assert drive.said == "]z is no key"
        await drive.press("j")
        assert "score" in drive.footer and drive.said != "]z is no key"


async def test_next_trace_and_thread(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("]", "t")
        assert "question 10" in drive.at
        await drive.press("]", "t", "]", "t")
        assert "question 6" in drive.at
        await drive.press("]", "T")
        assert "thread-1" in drive.at
        await drive.press("[", "T", "[", "T")
        assert "question 9" in drive.at


async def test_one_pane_in_a_small_terminal(store: Path) -> None:
    async with driving(store, (80, 24)) as drive:
        await drive.press("l", "j", "enter")
        assert drive.explorer.place == Where.DETAIL
        await drive.until(lambda: "answer 11" in drive.text and "thread / trace / run" not in drive.text)
        await drive.press("esc")
        await drive.until(lambda: "thread / trace / run" in drive.text)


async def test_keys_of_the_terminal_come_through(store: Path) -> None:
    async with driving(store) as drive:
        await drive.pilot.press("j", "right_square_bracket", "e", "question_mark", "escape", "slash", "a", "space", "b")
        assert "lookup_order 7" in drive.at
        assert drive.bar.startswith(" / a b")


async def test_a_tiny_terminal_is_told_so(store: Path) -> None:
    async with driving(store, (20, 5)) as drive:
        assert "40 x 8 at least" in drive.text
        await drive.pilot.resize_terminal(120, 40)
        await drive.until(lambda: "thread-2" in drive.text)


async def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    async with driving(make_store(tmp_path / "e.db", threads=0, singles=0)) as drive:
        await drive.until(lambda: "No traces yet." in drive.text)
        await drive.press("j", "l", "y", "enter", "*", "]", "e")
        assert drive.explorer.is_running


async def test_hostile_names_are_only_text(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    name = "\x1b[31m[bold]\u202e\U000e0041" + "x" * 5000
    with Writer(path, create=True) as writer:
        writer.write(Batch((RunRecord(id="a", name=name, kind="tool", error=name, inputs={"a": name}, started_at=BEGIN,
                                      ended_at=BEGIN + S),)))  # fmt: skip
    async with driving(path) as drive:
        await drive.press("l", "j")
        assert "\x1b" not in drive.text and "\u202e" not in drive.text
        assert "\\x1b[31m[bold]\\u202e" in drive.text


# -- filtering


async def test_a_filter_counts_while_typed_runs_and_is_dropped(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("/")
        await drive.type("kind:tool error:*")
        await drive.until(lambda: "3 traces, exact" in drive.bar)
        assert len(drive.tree.outline) == 6
        await drive.press("enter")
        assert len(drive.tree.outline) == 3
        assert "1 of 3" in drive.at
        await drive.press("esc")
        assert len(drive.tree.outline) == 6


async def test_a_mistake_is_shown_with_its_place_and_mended_by_tab(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("/")
        await drive.type("statuss:error")
        await drive.until(lambda: "there is no field `statuss`" in drive.text)
        await drive.press("enter")
        assert drive.explorer.modes, "what cannot be read is not run"
        await drive.press("tab", "enter")
        assert drive.explorer.filters.text == "status:error"
        await drive.until(lambda: "No trace matches." in drive.text)


@pytest.mark.parametrize("ident", ["t:4/3", '"t:4/3"'])
async def test_an_id_goes_to_its_row(store: Path, ident: str) -> None:
    async with driving(store) as drive:
        await drive.press("/")
        drive.explorer.modes[-1].paste(ident + "\n")
        await drive.until(lambda: "the run of this id" in drive.bar)
        await drive.press("enter")
        await drive.until(lambda: "lookup_order 4" in drive.at)
        assert not drive.explorer.filters.active


# -- scoring


async def test_two_hundred_traces_to_judge(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("/")
        await drive.type("-feedback.correct:*")
        await drive.press("enter")
        await drive.until(lambda: "0 of 12" in drive.bar)
        assert "question 11" in drive.at
        await drive.press("y")
        assert "question 10" in drive.at, "on to the next one"
        await drive.press("n")
        await drive.until(lambda: "2 of 12" in drive.bar)
        assert len(drive.tree.outline) == 6, "what was judged stays"
        first = drive.tree.outline.at(0).key
        await drive.until(lambda: first in drive.explorer.shelf.dimmed)
        assert "correct 1 H" in drive.tree.render_line(1).text
        await drive.press("u")
        await drive.until(lambda: "question 10" in drive.at)
        await drive.until(lambda: "correct" not in drive.at)
    assert said_in(store, Level.TRACE, "t:11") == {"correct": 1.0}
    assert said_in(store, Level.TRACE, "t:10") == {}


async def test_undo_and_redo_after_a_restart(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("/")
        await drive.type("-feedback.correct:*")
        await drive.press("enter", "y")
    async with driving(store) as drive:
        assert drive.explorer.filters.text == "-feedback.correct:*", "as it was left"
        await drive.press("u")
        assert said_in(store, Level.TRACE, "t:11") == {}
        await drive.press("U")
        assert said_in(store, Level.TRACE, "t:11") == {"correct": 1.0}
        await drive.press("u", "u")
        assert drive.said == "nothing to undo"


async def test_the_same_judgement_for_many(tmp_path: Path) -> None:
    path = make_store(tmp_path / "many.db", threads=8, singles=0)
    async with driving(path) as drive:
        await drive.press("/")
        await drive.type("kind:tool")
        await drive.press("enter", "*")
        await drive.until(lambda: "24 marked, all of the filter" in drive.bar)
        await drive.press("w", "h")
        await drive.until(lambda: "24  get their first score from you" in drive.text)
        assert "score 24 traces   cause = harness" in drive.text
        await drive.press("esc")
        assert said_in(path, Level.TRACE, "t:3") == {}
        await drive.press("w", "h", "enter")
        await drive.until(lambda: said_in(path, Level.TRACE, "t:3") == {"cause": "harness"})
        await drive.quiet()
        await drive.press("u")
        assert said_in(path, Level.TRACE, "t:3") == said_in(path, Level.TRACE, "t:20") == {}


async def test_marks_and_ranges_are_scored_together(store: Path) -> None:
    async with driving(store) as drive:
        drive.explorer.judge.current = "stars"
        await drive.press("space", "j", "space")
        assert "2 marked" in drive.bar
        await drive.press("esc", "g", "v", "j", "j")
        assert "3 marked" in drive.bar
        await drive.press("4")
        assert "marked" not in drive.bar
        await drive.until(lambda: drive.text.count("stars 4 H") >= 3)
    assert [said_in(store, Level.TRACE, f"t:{n}") for n in (11, 10, 9, 8)] == [{"stars": 4.0}] * 3 + [{}]


async def test_a_key_says_why_it_does_nothing(store: Path) -> None:
    async with driving(store) as drive:
        drive.explorer.judge.current = None
        await drive.press("y")
        assert drive.said == "no key yet s chooses or makes one"
        await drive.press(".")
        assert drive.said == "nothing yet score something first"


async def test_a_new_key_with_its_type(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("s", "ctrl+n")
        await drive.type("polite")
        await drive.press("enter", "r", "h", "4")
        assert "polite 4 H" in drive.at
        assert "score polite  1-5 value" in drive.footer
        await drive.press("j", ".")
        assert "polite 4 H" in drive.at
        await drive.press("s", "backspace")
        await drive.until(lambda: "polite" not in drive.at)
    assert said_in(store, Level.TRACE, "t:11") == {"polite": 4.0}


async def test_labels_have_letters_and_numbers_are_typed(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("s", "ctrl+n")
        await drive.type("tone")
        await drive.press("enter", "l")
        await drive.type("cold, warm")
        await drive.press("enter", "s", "t", "w")
        assert "tone warm H" in drive.at
        await drive.press("s", "ctrl+n")
        await drive.type("share")
        await drive.press("enter", "n", "h", "s", "s")
        await drive.type("0.25")
        await drive.press("enter")
        await drive.until(lambda: said_in(store, Level.TRACE, "t:11") == {"tone": "warm", "share": 0.25})


async def test_a_comment_keeps_its_draft(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("c")
        await drive.type("not what I")
        await drive.press("esc")
    async with driving(store) as drive:
        await drive.press("c")
        await drive.type(" asked")
        await drive.press("enter")
    with Reader(store) as reader:
        row = next(row for row in reader.find("t:11") if row.level == Level.TRACE)
        assert [one.value or one.comment for one in reader.feedback(Level.TRACE, row.pk)] == ["not what I asked"]


async def test_a_store_opened_for_reading_explains_its_grey_keys(store: Path) -> None:
    async with driving(store, read_only=True) as drive:
        assert "! read-only  opened with --read-only" in drive.lines()[0]
        await drive.press("y")
        assert drive.said.startswith("opened with --read-only")
        await drive.press("?")
        assert "opened with --read-only" in drive.text
    assert said_in(store, Level.TRACE, "t:11") == {}


async def test_help_finds_a_key_and_does_it(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("?")
        assert "keys for the tree, on a trace" in drive.text
        await drive.type("next, previous error")
        await drive.press("enter")
        assert "lookup_order 7" in drive.at


# -- what others write


async def test_what_others_write_appears_without_moving_the_cursor(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("j", "j", "j", "l", "j", "j")
        here = drive.at
        with Writer(store) as writer:
            writer.write(Batch(tuple(trace(50))))
            said = FeedbackRecord(
                level=Level.TRACE, target="t:6", key="frustrated", score=1.0, source="rule", author="r"
            )
            writer.write(Batch((), (said,)))
        await drive.until(lambda: "1 new" in drive.said)
        assert drive.at == here
        await drive.until(lambda: "frustrated 1 R" in drive.text)
        await drive.press("g")
        assert "question 50" in drive.at


async def test_runs_appear_under_what_is_unfolded(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("l")
        size = len(drive.tree.outline)
        late = RunRecord(id="t:11/9", trace="t:11", parent="t:11/1", kind="tool", name="send_mail",
                         error="TimeoutError",
                         started_at=BEGIN + 663 * S, ended_at=BEGIN + 664 * S)  # fmt: skip
        with Writer(store) as writer:
            writer.write(Batch((late,)))
        await drive.until(lambda: len(drive.tree.outline) == size + 1)
        await drive.until(lambda: "TimeoutError" in drive.text)


@pytest.mark.parametrize("keys", [("z", "z"), ("tab", "l", "h", "e", "tab"), ("G", "g", "pgdn", "pgup"), ("ctrl+c",)])
async def test_keys_that_change_nothing_break_nothing(store: Path, keys: tuple[str, ...]) -> None:
    async with driving(store) as drive:
        before = drive.at
        await drive.press(*keys)
        assert drive.at == before


async def test_trouble_is_told_in_words_once(store: Path) -> None:
    async with driving(store) as drive:
        for _ in range(3):
            drive.explorer.trouble(InputError("Gone", "[b]this[/b] run is no longer there", "Reload."))
            await drive.pilot.pause()
        assert "× Gone" in drive.text and "[b]this[/b] run is no longer there" in drive.text
        await drive.pilot.press("escape")
        await drive.until(lambda: "× Gone" not in drive.text)
        assert "thread-2" in drive.text


async def test_a_wrong_key_is_mended_and_words_are_no_judgement(store: Path) -> None:
    async with driving(store) as drive:
        await drive.press("/")
        await drive.type("-feedback.correct:*")
        await drive.press("enter", "y", "u", "n")
        await drive.until(lambda: said_in(store, Level.TRACE, "t:11") == {"correct": 0.0})
        await drive.press("c")
        await drive.type("look again")
        await drive.press("enter")
        await drive.until(lambda: said_in(store, Level.TRACE, "t:10") == {"note": "look again"})
        # a comment alone leaves the row in the queue
        await drive.until(lambda: "1 of 12 judged" in drive.bar)
        await drive.press("w", "h")
        await drive.until(lambda: said_in(store, Level.TRACE, "t:10") == {"note": "look again", "cause": "harness"})
        assert drive.explorer.judge.current == "correct", "why it failed is said beside the judging"
        await drive.press("/")
        await drive.type("status:success")
        await drive.press("enter")
        assert drive.explorer.filters.text == "-feedback.correct:* status:success"
