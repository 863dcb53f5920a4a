"""What the bars say of the store and of what is at work; and the rules' worker, which runs while a rule is on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracetui.model.kinds import KeyType
from tracetui.model.text import display
from tracetui.tui.feed import LATER, Answer
from tracetui.tui.figures import counted
from tracetui.tui.keys import BY_ID, Where, shown
from tracetui.tui.reasons import State, why_not
from tracetui.tui.scoring import strokes
from tracetui.tui.widgets.footer import Item
from tracetui.tui.widgets.topbar import Top

if TYPE_CHECKING:
    from tracetui.store.reading import Reader, Totals
    from tracetui.store.rules import Progress
    from tracetui.tui.child import Worker
    from tracetui.tui.screens.explorer import Explorer

TICK_S = 0.5
_RULES_S = 1.0
_BUSY_S = 1.0


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules as the store and the file beside it have them."""

    lanes: tuple[Progress, ...]
    trouble: str | None
    file: bool


def _look(reader: Reader) -> Rules:
    from tracetui.evaluate.following import default_file

    return Rules(reader.rules(), reader.rules_trouble(), default_file(reader.path).is_file())


class Status:
    """Counts, rate, rules. Asks the far feed at most once a second."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self.watch = True
        """Whether what others write is seen."""
        self.totals: Totals | None = None
        self._rate = 0.0
        self._counted_at = 0.0
        self._stale = True
        self._rules_at = 0.0
        self._rules: float | None = None
        self._rules_left = ""
        self._passed: tuple[float, int] | None = None
        self.worker: Worker | None = None
        self._trouble: str | None = None

    def changed(self) -> None:
        """The store holds something else now."""
        self._stale = True

    def tick(self) -> None:
        """Time went on."""
        now = time.monotonic()
        far = self._explorer.far
        if self._stale and now - self._counted_at >= 1 and not far.asked("totals"):
            self._stale = False
            far.ask("totals", lambda reader: reader.totals(), LATER)
        elif now - self._counted_at > 3 and self._rate:
            self._rate = 0.0
            self._explorer.redraw_bars()
        if self.watch and now - self._rules_at >= _RULES_S and not far.asked("rules"):
            self._rules_at = now
            far.ask("rules", _look, LATER)

    def hear(self, answer: Answer) -> None:
        """Take in totals or the state of the rules."""
        now = time.monotonic()
        if answer.topic == "totals":
            if self.totals is not None and self._counted_at:
                self._rate = max(answer.value.runs - self.totals.runs, 0) / max(now - self._counted_at, 1)
            self.totals, self._counted_at = answer.value, now
            self._explorer.redraw_bars()
        else:
            self._take_rules(answer.value, now)

    def _take_rules(self, rules: Rules, now: float) -> None:
        lanes = rules.lanes
        # a file of rules beside the store is followed, also one that was written by hand and never run
        self._run_worker(rules.file or any(lane.on for lane in lanes))
        if rules.trouble != self._trouble:
            self._trouble = rules.trouble
            self._explorer.redraw_bars()
        running = [lane for lane in lanes if lane.state == "running"]
        stopped = sum(lane.state == "stopped" for lane in lanes)
        passed = sum(lane.passed for lane in running)
        total = sum(lane.total for lane in running)
        before = (self._rules, self._rules_left)
        if running and total:
            self._rules = passed / total
            self._rules_left = self._left(passed, total, now)
        else:
            self._rules, self._passed = None, None
            self._rules_left = ""
        if stopped:
            self._rules = 1.0 if self._rules is None else self._rules
            self._rules_left = f"{stopped} stopped"
        if before != (self._rules, self._rules_left):
            self._explorer.redraw_bars()

    def _run_worker(self, wanted: bool) -> None:
        if self.worker is None and wanted and not self._explorer.read_only:
            from tracetui.tui.child import Worker

            self.worker = Worker(self._explorer.path)
        if self.worker is not None:
            self.worker.want(wanted)

    def _left(self, passed: int, total: int, now: float) -> str:
        if self._passed is None or passed < self._passed[1]:
            self._passed = (now, passed)
            return ""
        began, at = self._passed
        rate = (passed - at) / max(now - began, 0.1)
        if rate <= 0:
            return ""
        seconds = (total - passed) / rate
        return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"

    def close(self) -> None:
        """Stop the worker."""
        if self.worker is not None:
            self.worker.stop()

    # -- what the bars say

    def top(self) -> Top:
        """The top bar."""
        explorer = self._explorer
        totals = self.totals
        trouble = (self.worker.trouble if self.worker is not None else "") or self._trouble or ""
        if explorer.writing is not None:
            waiting, age = explorer.writing.waiting()
            if waiting and age > _BUSY_S and (age > 3 or explorer.writing.busy):
                trouble = f"the store is being written by another program, {counted(waiting, 'change')} wait"
        return Top(
            store=explorer.path.name,
            threads=None if totals is None else totals.threads,
            traces=None if totals is None else totals.traces,
            runs=None if totals is None else totals.runs,
            live=self.watch,
            rate=self._rate,
            read_only=explorer.read_only,
            rules=self._rules,
            rules_left=self._rules_left,
            trouble=trouble,
        )

    @property
    def state(self) -> State:
        """What decides which keys do something."""
        explorer = self._explorer
        return State(
            row=explorer.listing.spot is not None,
            read_only=explorer.read_only,
            current=explorer.judge.current,
            key=explorer.judge.key,
            filtered=explorer.filters.active,
            marked=bool(explorer.listing.marks),
            back=bool(explorer.places.been),
            forward=bool(explorer.places.ahead),
            repeat=explorer.judge.last is not None,
            split=explorer.panes.split,
            detail=explorer.panes.detail is not None,
        )

    def footer(self) -> tuple[list[Item], Item | None]:
        """The footer of rows and detail."""
        explorer = self._explorer
        if explorer.keymap.pending:
            return self._chord(), None
        judge, state = explorer.judge, explorer.state
        items: list[Item] = []
        if not state.read_only:
            items = self._scores(judge.current)
        for action_id in ("score.comment", "score.cause"):
            if not why_not(BY_ID[action_id], state):
                action = BY_ID[action_id]
                items.append(Item(shown(action.keys[0]), action.footer, near=action_id != "score.comment"))
        if explorer.place == Where.ROWS:
            if not explorer.panes.split:
                items.append(Item("enter", "detail", near=False))
            items.append(Item("]e", "next error", near=not explorer.panes.split))
            items.append(Item("/", "filter"))
        else:
            items += [Item("esc", "tree", near=False), Item("left right", "tab"), Item("]e", "next error")]
        return items, Item("?", "all keys" if explorer.size.width >= 90 else "keys")

    def _scores(self, current: str | None) -> list[Item]:
        explorer = self._explorer
        if current is None:
            return [Item("s", "score")]
        wide = explorer.size.width >= 90
        items = [Item("", "score", display(current))]
        key = explorer.judge.key
        keys = strokes(key)
        if keys:
            words = "yes no" if key is not None and key.type == KeyType.BOOLEAN else "value"
            items.append(Item(keys, words))
        items.append(Item("s", "other key" if wide else "key"))
        return items

    def _chord(self) -> list[Item]:
        explorer = self._explorer
        words = {
            "e": "error",
            "u": "unscored",
            "f": "feedback",
            "m": "match",
            "x": "marked",
            "t": "trace",
            "T": "thread",
        }
        lead = Item("", "next" if explorer.keymap.pending == "]" else "previous")
        seconds = explorer.keymap.second(explorer.place)
        return [lead, *(Item(key, words.get(key, action.description)) for key, action in seconds)]
