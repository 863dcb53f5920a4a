"""Scores by keystroke: what a key writes, to which rows, shown at once and written behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tracetui.model.kinds import KeyType, Level, Source
from tracetui.model.rows import FeedbackKey, Row
from tracetui.model.text import display
from tracetui.tui import figures
from tracetui.tui.feed import NOW, Answer
from tracetui.tui.outline import Key
from tracetui.tui.rows import title
from tracetui.tui.scoring import Verdict
from tracetui.tui.shelf import mine
from tracetui.tui.writing import Job, Written

if TYPE_CHECKING:
    from tracetui.store.people import Scorer
    from tracetui.store.reading import Reader
    from tracetui.tui.modes.ask import AskMode, ProgressMode
    from tracetui.tui.screens.explorer import Explorer

ASK_ABOVE = 20
NOTE = FeedbackKey(key="note", type=KeyType.FREEFORM, description="a remark")
"""The key of a comment on a row that one has not scored."""
CORRECTION = FeedbackKey(key="correction", type=KeyType.FREEFORM, description="what should have come out")
"""The same for a correction."""


class Spread(NamedTuple):
    """What a bulk score would change: how many have no score of one's own yet, and what the others have."""

    fresh: int
    before: tuple[tuple[str, int], ...]


class Judge:
    """One person's scores."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self.current: str | None = None
        """Name of the current key."""
        self.last: Verdict | None = None
        self._pending: Counter[Key] = Counter()
        """Places with a score that is shown and not written yet."""
        self._progress: ProgressMode | None = None
        self._asking: tuple[AskMode, list[Key], Verdict] | None = None

    @property
    def key(self) -> FeedbackKey | None:
        """The current key, where the store has it."""
        return None if self.current is None else self._explorer.shelf.keys.get(self.current)

    # -- giving

    def give(self, verdict: Verdict) -> None:
        """Score the marked rows, or the one under the cursor; many only after asking."""
        if not verdict.aside or self.current is None:
            self.current = verdict.key.key
        self._explorer.shelf.keys.setdefault(verdict.key.key, verdict.key)
        targets = self._targets()
        if len(targets) > ASK_ABOVE:
            self._ask(targets, verdict)
        elif targets:
            self._write(targets, verdict)

    def _targets(self) -> list[Key]:
        marks = self._explorer.listing.marks
        if marks:
            return sorted(marks)
        row = self._explorer.listing.current
        return [] if row is None else [(row.level, row.pk)]

    def _ask(self, targets: list[Key], verdict: Verdict) -> None:
        from tracetui.tui.modes.ask import AskMode

        what = figures.counted(len(targets), nouns(targets))
        about = verdict.words.replace(" ", " = ", 1)
        ask = AskMode(self._explorer, f"score {what}", about, f"score {len(targets):,}", self._answered)
        self._asking = (ask, targets, verdict)
        author = self._explorer.author

        def read(reader: Reader) -> Spread:
            return spread(reader, targets, verdict.key.key, author)

        self._explorer.far.ask("spread", read, NOW)
        self._explorer.enter(ask)

    def hear(self, answer: Answer) -> None:
        """What a bulk score would change has been counted."""
        if self._asking is None:
            return
        ask, targets, _ = self._asking
        found: Spread = answer.value
        ask.facts = [(f"{found.fresh:,}", "get their first score from you")]
        changed = len(targets) - found.fresh
        if changed:
            parts = ",  ".join(f"{n:,} from {value}" for value, n in found.before[:4])
            ask.facts.append((f"{changed:,}", f"have one from you already and change:  {parts}"))
        ask.rest = f"What users, rules and judges said stays as it is. One u takes all {len(targets):,} back."
        self._explorer.redraw_mode()

    def _answered(self) -> None:
        if self._asking is not None:
            _, targets, verdict = self._asking
            self._asking = None
            self._write(targets, verdict)

    def _write(self, targets: list[Key], verdict: Verdict) -> None:
        self.last = verdict
        key = verdict.key.key
        shown = self._show(targets, key, verdict)

        def write(scorer: Scorer, job: Job) -> Any:
            if not verdict.known:
                scorer.define(verdict.key)
            return scorer.score(
                targets, key, score=verdict.score, value=verdict.value, label=verdict.words,
                boolean=verdict.key.type == KeyType.BOOLEAN, progress=job.progress, cancelled=job.cancelled,
            )  # fmt: skip

        self._submit("score", write, shown, len(targets), f"score {len(targets):,}")
        if len(targets) == 1:
            self._explorer.say(verdict.words, f"on {self._explorer.called}", undo=True, again=True)
            self._explorer.places.advance()
        else:
            self._explorer.say(
                verdict.words, f"on {figures.counted(len(targets), nouns(targets))}", undo=True, again=True
            )
            self._explorer.marking.clear()

    def _show(self, targets: Iterable[Key], key: str, verdict: Verdict | None) -> list[Key]:
        """Show a score at once on the rows that are known; their places."""
        wanted = set(targets)
        shelf = self._explorer.shelf
        places = [place for place, row in shelf.rows.items() if (row.level, row.pk) in wanted or place in wanted]
        for place in places:
            old = next((cell for cell in shelf.rows[place].feedback if cell.key == key), None)
            cell = None if verdict is None else mine(old, key, verdict.score, verdict.value)
            shelf.say(place, key, cell)
            self._pending[place] += 1
        self._explorer.listing.redraw(set(places))
        return places

    def take_back(self) -> None:
        """Take one's own score under the current key back."""
        key, targets = self.current, self._targets()
        if key is None or not targets:
            return

        def write(scorer: Scorer, job: Job) -> Any:
            return scorer.take_back(targets, key, progress=job.progress, cancelled=job.cancelled)

        self._submit("back", write, [], len(targets), f"take back {len(targets):,}")

    def comment(self, text: str, row: Row, correction: Any = None, *, correct: bool = False) -> None:
        """A comment (or a correction) on a row: beside one's own score under the current key, else under its own key.

        Under a key without a score it would pass for a judgement, and the row would leave the queue of unjudged ones.
        """
        current, apart = self.current, CORRECTION if correct else NOTE
        target = (row.level, row.pk)

        def write(scorer: Scorer, job: Job) -> Any:
            if current is not None and scorer.said(target, current):
                if correct:
                    return scorer.score([target], current, correction=correction, label=f"correct {current}")
                return scorer.score([target], current, comment=text, label=f"comment {current}")
            known = scorer.keys()
            if all(one.key != apart.key for one in known):
                scorer.define(apart)
            if correct:
                return scorer.score([target], apart.key, correction=correction, label="correction")
            return scorer.score([target], apart.key, value=text, label="note")

        self._submit("comment", write, [], 1, "")
        self._explorer.say("correction" if correct else "comment", f"on {title(row)[0]}", undo=True)

    def undo(self, *, forward: bool = False) -> None:
        """Take one's last step back, or do it again."""
        explorer = self._explorer

        def write(scorer: Scorer, _job: Job) -> Any:
            return scorer.redo() if forward else scorer.undo()

        def slow() -> None:
            if explorer.writing is not None and explorer.writing.waiting()[0]:
                explorer.say("doing it again" if forward else "undoing", "all of it is one step")

        self._submit("redo" if forward else "undo", write, [], 1, "")
        explorer.later("slow", 0.3, slow)

    def define(self, key: FeedbackKey) -> None:
        """A new key, current from now on."""
        self.current = key.key
        self._explorer.shelf.keys[key.key] = key
        self._submit("define", lambda scorer, job: scorer.define(key), [], 1, "")

    # -- what was written

    def _submit(self, topic: str, write: Any, about: Sequence[Key], n: int, title: str) -> None:
        writing = self._explorer.writing
        if writing is None:  # a store opened for reading: its scoring keys are grey
            return
        writing.submit(Job(topic, write, list(about)))
        if n > ASK_ABOVE:
            from tracetui.tui.modes.ask import ProgressMode

            self._progress = ProgressMode(self._explorer, title, writing.cancel)
            self._explorer.enter(self._progress)

    def wrote(self, news: Written) -> None:
        """Take in news of the writing thread."""
        job = news.job
        if news.total and self._progress is not None:
            progress = self._progress
            progress.done, progress.total, progress.seconds = news.done, news.total, job.age
            self._explorer.redraw_mode()
            return
        if news.total:
            return
        if self._progress is not None:
            self._explorer.leave(self._progress)
            self._progress = None
        self._pending.subtract(job.about)
        self._pending += Counter()  # drops what is not above zero
        self._explorer.browser.reread(job.about)
        if news.error is not None:
            self._explorer.shelf.settle(job.about)
            self._explorer.listing.redraw(set(job.about))
            self._explorer.trouble(news.error)
        elif job.topic in ("undo", "redo"):
            self._stepped(job.topic, news.value)
        elif job.topic == "back":
            n = news.value.changed
            self._explorer.say("taken back" if n else "nothing of yours to take back", "", undo=bool(n))
        elif job.topic == "score" and len(job.about) != 1 and news.value.changed > 1:
            self._explorer.say(f"scored {news.value.changed:,}", news.value.label, undo=True)

    def _stepped(self, topic: str, done: Any) -> None:
        if done is None:
            self._explorer.say(f"nothing to {topic}", "")
            return
        left = f"   {done.left:,} changed by others since: left" if done.left else ""
        label = display(done.label)
        many = f" on {done.changed:,}" if done.changed > 1 else ""
        self._explorer.say("undone" if topic == "undo" else "done again", f"{label}{many}{left}")
        if len(done.targets) == 1:
            level, pk = done.targets[0]
            self._explorer.places.go((Level(level), pk))

    def settled(self, places: Iterable[Key]) -> None:
        """These rows were read again: what was only shown is in them now, unless it is still being written."""
        self._explorer.shelf.settle(place for place in places if not self._pending[place])


def nouns(targets: Sequence[Key]) -> str:
    """What some targets are: traces, or rows where they are mixed."""
    levels = {level for level, _ in targets}
    return levels.pop().value if len(levels) == 1 else "row"


def spread(reader: Reader, targets: Sequence[Key], key: str, author: str) -> Spread:
    """What an author has said of some targets under a key until now."""
    before: Counter[str] = Counter()
    for level, pk in targets:
        for row in reader.feedback(level, pk):
            if row.key == key and row.author == author and row.source == Source.HUMAN and row.target_pk == pk:
                said = row.value if row.value is not None else figures.number(row.score or 0.0)
                before[display(said)] += 1
                break
    return Spread(len(targets) - sum(before.values()), tuple(before.most_common()))
