"""Filters by the book: a slow evaluator over plain records, and small made-up stores to try it on.

It shares nothing with the compiler but the syntax tree: rows are the records that went into the store.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

from tracetui.model.kinds import Level
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.query import ast

Truth = bool | None


@dataclass
class Node:
    """A thread, trace or run with what the filter language knows of it."""

    level: Level
    id: str
    values: dict[str, Any]
    tags: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    feedback: list[FeedbackRecord] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None

    def below(self, level: Level) -> list[Node]:
        if self.level is level:
            return [self]
        return [node for child in self.children for node in child.below(level)]

    def all_feedback(self) -> list[FeedbackRecord]:
        return self.feedback + [one for child in self.children for one in child.all_feedback()]

    def all_texts(self) -> list[str]:
        return self.texts + [text for child in self.children for text in child.all_texts()]


# -- the evaluator ---------------------------------------------------------------------------------------------

LEVELS = [Level.THREAD, Level.TRACE, Level.RUN]


def matches(node: ast.Node, row: Node) -> bool:
    return truth(node, row, {}, False) is True


def truth(node: ast.Node, row: Node, bound: dict[Any, tuple[FeedbackRecord, bool]], negated: bool) -> Truth:
    match node:
        case ast.And(items=items):
            return conjunction(items, row, bound, negated)
        case ast.Or(items=items):
            return opposite(kleene_and([opposite(truth(item, row, bound, negated)) for item in items]))
        case ast.Not(item=item):
            return opposite(truth(item, row, bound, not negated))
        case ast.Words(text=text, prefix=prefix):
            return any(has_words(one, text, prefix) for one in row.all_texts())
        case ast.Field(name="feedback"):
            return feedback_truth(node, row, bound, negated)
        case ast.Field():
            return field_truth(node, row)


def some(parts: Iterable[Truth]) -> Truth:
    """Of several rows: true where one is true; else false where one is false; else missing."""
    known = [part for part in parts if part is not None]
    return None if not known else any(known)


def kleene_and(parts: list[Truth]) -> Truth:
    return False if False in parts else None if None in parts else True


def opposite(part: Truth) -> Truth:
    return None if part is None else not part


def conjunction(items, row, bound, negated) -> Truth:
    named = [set(mentions(item, False)) for item in items]
    shared = {
        key
        for key in {key for one in named for key, _ in one}
        if key not in bound
        and sum(any(key == other for other, _ in one) for one in named) > 1
        and any((key, False) in one for one in named)
    }
    results: list[Truth] = []
    left = list(range(len(items)))
    while left:
        group = [left.pop(0)]
        keys = {key for key, _ in named[group[0]]} & shared
        grown = True
        while grown:
            grown = False
            for index in list(left):
                if keys & {key for key, _ in named[index]}:
                    group.append(index)
                    left.remove(index)
                    keys |= {key for key, _ in named[index]} & shared
                    grown = True
        results.append(
            for_some([*keys], row, bound, negated, lambda b, g=group: [truth(items[i], row, b, negated) for i in g])
        )
    return kleene_and(results)


def for_some(keys, row, bound, negated, parts: Callable[[dict], list[Truth]]) -> Truth:
    """Whether there is a feedback row for each key that makes all parts true."""
    rows = [[one for one in row.all_feedback() if key in (None, one.key)] for key in keys]
    tries = (dict(zip(keys, [(one, negated) for one in chosen], strict=True)) for chosen in product(*rows))
    found = [kleene_and(parts({**bound, **one})) for one in tries]
    return (kleene_and(found) if not keys else some(found)) if found else None


def mentions(node: ast.Node, negated: bool) -> Iterable[tuple[Any, bool]]:
    match node:
        case ast.And(items=items) | ast.Or(items=items):
            for item in items:
                yield from mentions(item, negated)
        case ast.Not(item=item):
            yield from mentions(item, not negated)
        case ast.Field(name="feedback") if not (negated and not node.part and isinstance(node.test, ast.Has)):
            yield node.key, negated


def feedback_truth(node: ast.Field, row: Node, bound, negated: bool) -> Truth:
    rows = [one for one in row.all_feedback() if node.key in (None, one.key)]
    whole = isinstance(node.test, ast.Has) and not node.part
    if node.key in bound:
        chosen, since = bound[node.key]
        if not (whole and negated != since):
            return said(node, chosen)
    if whole:
        return bool(rows)
    found = [said(node, one) for one in rows]
    return any(found) if isinstance(node.test, ast.Has) else some(found)


def said(node: ast.Field, one: FeedbackRecord) -> Truth:
    if not node.part:
        match node.test:
            case ast.Has():
                return True
            case ast.Is(pattern=pattern):
                if one.score is None and one.value is None:
                    return None
                number = pattern.exact is not None and as_number(pattern.exact)
                equal = number is not False and number is not None and one.score == number
                return equal or bool(one.value is not None and like(one.value, pattern))
            case ast.Contains():
                return compare(node.test, one.value)
            case _:
                return compare(node.test, one.score)
    value = {"author": one.author or None, "level": one.level.value}.get(node.part, getattr(one, node.part))
    return compare(node.test, value)


def as_number(text: str) -> float | None:
    if text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    try:
        return float(text)
    except ValueError:
        return None


def matches_feedback(node: ast.Node, one: FeedbackRecord, target: Node) -> bool:
    """Whether a list of feedback has this row: `feedback.KEY` speaks of it, other fields of its target."""
    return feedback_list_truth(node, one, target) is True


def feedback_list_truth(node: ast.Node, one: FeedbackRecord, target: Node) -> Truth:
    match node:
        case ast.And(items=items):
            return kleene_and([feedback_list_truth(item, one, target) for item in items])
        case ast.Or(items=items):
            return opposite(kleene_and([opposite(feedback_list_truth(item, one, target)) for item in items]))
        case ast.Not(item=item):
            return opposite(feedback_list_truth(item, one, target))
        case ast.Field(name="feedback"):
            mine = node.key in (None, one.key)
            if isinstance(node.test, ast.Has):
                return mine and said(node, one) is True
            return said(node, one) if mine else None
    return truth(node, target, {}, False)


def field_truth(node: ast.Field, row: Node) -> Truth:
    for level in LEVELS[LEVELS.index(row.level) :]:
        if has_field(level, node.name):
            found = [own_truth(node, one) for one in row.below(level)]
            return any(found) if isinstance(node.test, ast.Has) else some(found)
    above = row.parent
    while above is not None and not has_field(above.level, node.name):
        above = above.parent
    assert above is not None, node.name
    return own_truth(node, above)


FIELDS = {
    Level.THREAD: {"id", "thread", "project", "user", "latency", "tokens", "cost", "errors", "runs", "traces"},
    Level.TRACE: {"id", "trace", "project", "status", "name", "tag", "latency", "tokens", "cost", "errors", "runs"},
    Level.RUN: {"id", "project", "user", "status", "name", "tag", "latency", "tokens", "cost", "kind", "model",
                "error", "parent", "session"},
}  # fmt: skip


def has_field(level: Level, name: str) -> bool:
    return name in FIELDS[level]


def own_truth(node: ast.Field, row: Node) -> Truth:
    if node.name == "tag":
        if isinstance(node.test, ast.Has):
            return bool(row.tags)
        return any(compare(node.test, tag) for tag in row.tags)
    value = row.values.get(node.name)
    if node.name in ("id", "trace", "parent") and row.level is not Level.THREAD and value is not None:
        return compare(node.test, value) or compare(node.test, value.partition(":")[2])
    return compare(node.test, value)


UNITS = {"ms": Fraction(1, 1000), "s": 1, "m": 60, "k": 1000, "": 1}


def compare(test: ast.Test, value: Any) -> Truth:
    if isinstance(test, ast.Has):
        return value is not None
    if value is None:
        return None
    match test:
        case ast.Is(pattern=pattern):
            if isinstance(value, str):
                return like(value, pattern)
            return value == number(pattern.exact, value)
        case ast.Contains(text=text):
            return text.casefold() in value.casefold()
        case ast.Compare(op=op, operand=operand):
            limit = number(operand.text, value)
            return {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[op]
        case ast.Range():
            low = test.low is None or (
                value >= number(test.low.text, value) if test.with_low else value > number(test.low.text, value)
            )
            high = test.high is None or (
                value <= number(test.high.text, value) if test.with_high else value < number(test.high.text, value)
            )
            return low and high


def number(text: str, like: Any) -> Any:
    """A number as written; exact where the value it meets is exact (seconds), a float where that is one."""
    if text in ("true", "false"):
        return int(text == "true")
    digits, unit = re.fullmatch(r"\$?([-\d.]+)([a-z]*)", text).groups()
    exact = Fraction(digits) * UNITS[unit]
    return exact if isinstance(like, Fraction) else float(exact)


def like(value: str, pattern: ast.Pattern) -> bool:
    wanted = ".*".join(re.escape(piece.casefold()) for piece in pattern.pieces)
    return re.fullmatch(wanted, value.casefold(), re.S) is not None


def has_words(text: str, wanted: str, prefix: bool) -> bool:
    found, (*head, last) = split(text), split(wanted)
    for start in range(len(found) - len(head)):
        end = start + len(head)
        if found[start:end] == head and (found[end] == last or (prefix and found[end].startswith(last))):
            return True
    return False


def split(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    return re.findall(r"[^\W_]+", plain)


# -- made-up stores --------------------------------------------------------------------------------------------

NAMES = ["search", "Lookup_Order", "agent", "straße", "Refund Flow", "KELVIN", "100%_x", ""]
MODELS = ["gpt-4.1", "GPT-4o", "claude-ö", None]
ERRORS = ["KeyError: order not found", "Timeout", None]
KEYS = ["helpful", "cause", "correct"]


def make(seed: int) -> tuple[list[Batch], list[Node]]:
    """Batches to write, and the same as threads of nodes."""
    pick = random.Random(seed)
    batches, threads = [], []
    for number in range(pick.randint(3, 5)):
        session = None if pick.random() < 0.3 else f"Thread-{number}"
        project = pick.choice(["shop", None])
        traces = [
            make_trace(pick, f"{number}-{index}", session, project)
            for index in range(1 if session is None else pick.randint(1, 3))
        ]
        batches += [Batch(tuple(runs)) for _, runs in traces]
        thread = make_thread(session, project, [trace for trace, _ in traces])
        threads.append(thread)
        said = [one for node in walk(thread) for one in make_feedback(pick, node)]
        batches.append(Batch(feedback=tuple(said)))
    return batches, threads


def walk(node: Node) -> Iterable[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def total(values: Iterable[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def make_trace(pick: random.Random, ident: str, session: str | None, project: str | None):
    runs: list[RunRecord] = []
    for index in range(pick.randint(1, 5)):
        kind = "agent" if index == 0 else pick.choice(["llm", "tool", "tool", "chain"])
        started = None if pick.random() < 0.2 else 1_700_000_000_000_000 + pick.randint(0, 10_000_000)
        ended = (
            None if started is None or pick.random() < 0.2 else started + pick.choice([350_000, 2_000_000, 3_141_592])
        )
        spends = kind == "llm"
        runs.append(
            RunRecord(
                id=f"x:run{ident}-{index}",
                trace=f"x:trace{ident}",
                parent=None
                if index == 0
                else f"x:run{ident}-{pick.randint(0, index - 1)}"
                if not spends
                else runs[0].id,
                name=pick.choice(NAMES),
                kind=kind,
                error=pick.choice(ERRORS) if kind in ("tool", "agent") else None,
                session=session,
                user=pick.choice(["mira", "Ömer", None]),
                project=project,
                started_at=started,
                ended_at=ended,
                phase=2 if pick.random() < 0.8 else 1,
                model=pick.choice(MODELS) if spends else None,
                prompt_tokens=pick.choice([None, 10, 501, 2000]) if spends else None,
                completion_tokens=pick.choice([None, 0, 5]) if spends else None,
                cost=pick.choice([None, 0.05, 0.25]) if spends else None,
                tags=tuple(pick.sample(["prod", "Beta", "ä"], pick.randint(0, 2))),
            )
        )
    nodes = [run_node(run) for run in runs]
    root = nodes[0]
    prompt, completion = total(r.prompt_tokens for r in runs), total(r.completion_tokens for r in runs)
    begins = [run.started_at for run in runs if run.started_at is not None]
    ends = [run.ended_at for run in runs if run.ended_at is not None]
    trace = Node(
        Level.TRACE,
        f"x:trace{ident}",
        {
            "id": f"x:trace{ident}",
            "trace": f"x:trace{ident}",
            "project": project,
            "status": root.values["status"],
            "name": root.values["name"],
            "latency": Fraction(max(ends) - min(begins), 10**6) if begins and ends else None,
            "tokens": None if prompt is None or completion is None else prompt + completion,
            "prompt": prompt,
            "completion": completion,
            "cost": total(r.cost for r in runs),
            "errors": sum(node.values["status"] == "error" for node in nodes),
            "runs": len(runs),
            "begin": min(begins, default=None),
            "end": max(ends, default=None),
        },
        tags=root.tags,
        texts=[runs[0].name or ""],
        children=nodes,
    )
    for node in nodes:
        node.parent = trace
    return trace, runs


def run_node(run: RunRecord) -> Node:
    done = run.started_at is not None and run.ended_at is not None
    tokens = None
    if run.prompt_tokens is not None and run.completion_tokens is not None:
        tokens = run.prompt_tokens + run.completion_tokens
    values = {
        "id": run.id,
        "parent": run.parent,
        "project": run.project,
        "user": run.user,
        "session": run.session,
        "status": "error" if run.error else "success" if run.phase == 2 else "running",
        "name": run.name or None,
        "kind": run.kind,
        "model": run.model,
        "error": run.error,
        "latency": Fraction(run.ended_at - run.started_at, 10**6) if done else None,  # type: ignore[operator]
        "tokens": tokens,
        "cost": run.cost,
        "position": run.started_at or 0,
    }
    texts = [text for text in (run.name, run.error) if text]
    return Node(Level.RUN, run.id, values, list(run.tags), texts)


def make_thread(session: str | None, project: str | None, traces: list[Node]) -> Node:
    def of(name: str) -> list[Any]:
        return [trace.values[name] for trace in traces]

    begins = [value for value in of("begin") if value is not None]
    ends = [value for value in of("end") if value is not None]
    prompt, completion = total(of("prompt")), total(of("completion"))
    roots = sorted((trace.children[0] for trace in traces), key=lambda root: (root.values["position"], root.id))
    thread = Node(
        Level.THREAD,
        session or f"trace:{traces[0].id}",
        {
            "id": session or f"trace:{traces[0].id}",
            "thread": session,
            "project": project,
            "user": next((root.values["user"] for root in roots if root.values["user"]), None),
            "latency": Fraction(max(ends) - min(begins), 10**6) if begins and ends else None,
            "tokens": None if prompt is None or completion is None else prompt + completion,
            "cost": total(of("cost")),
            "errors": sum(of("errors")),
            "runs": sum(of("runs")),
            "traces": len(traces),
        },
        children=traces,
    )
    for trace in traces:
        trace.parent = thread
    return thread


def make_feedback(pick: random.Random, node: Node) -> list[FeedbackRecord]:
    if node.level is Level.THREAD and node.values["thread"] is None:
        return []
    for author in ["", "mira", "Rule-1"]:
        if pick.random() < 0.25:
            key = pick.choice(KEYS)
            node.feedback.append(
                FeedbackRecord(
                    level=node.level,
                    target=node.id,
                    key=key,
                    score=pick.choice([None, 0.0, 0.3, 1.0]),
                    value=pick.choice([None, None, "Harness", "0.3", "ÄRGER"]),
                    comment=pick.choice([None, "a Refund was due"]),
                    source=pick.choice(["human", "rule", "user"]),
                    author=author,
                    project=(node.values["project"] or "") if node.level is Level.THREAD else "",
                )
            )
    return node.feedback
