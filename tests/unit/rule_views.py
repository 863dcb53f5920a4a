"""Views and stores for the tests of rules."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from tracetui.evaluate.evaluators.base import Evaluator, Tools
from tracetui.evaluate.rules import parse_rules
from tracetui.evaluate.view import Given, RunView, ThreadView, TraceView
from tracetui.model.chat import Message, Role
from tracetui.model.records import Batch, RunRecord
from tracetui.store.writer import Writer

_pks = itertools.count(1)


def run(kind: str = "llm", name: str = "", **given: Any) -> RunView:
    """A run; `inputs`, `outputs` and `new` are its content."""
    content = Given(given.pop("inputs", None), given.pop("outputs", None), None, tuple(given.pop("new", ())))
    pk = next(_pks)
    return RunView(pk=pk, id=f"r{pk}", kind=kind, name=name or kind, content=content, **given)


def user(text: str) -> Message:
    """What a user says."""
    return Message(role=Role.USER, text=text)


def tool(name: str, arguments: Any = None, result: Any = "ok", error: str | None = None) -> RunView:
    """A tool run."""
    status = "error" if error else "success"
    return run("tool", name, inputs=arguments, outputs=result, error=error, status=status)


def said(text: str, *new: str) -> RunView:
    """A model call: its answer, and what the user newly said to it."""
    outputs = {"role": "assistant", "content": text}
    return run("llm", "gpt", outputs=outputs, new=[user(one) for one in new], status="success")


def trace(*runs: RunView, **given: Any) -> TraceView:
    """A trace of these runs."""
    view = TraceView(pk=next(_pks), id="t", load=lambda _: runs, run_count=len(runs), **given)
    for one in runs:
        one.trace = view
    return view


def thread(*traces: TraceView) -> ThreadView:
    """A thread of these traces."""
    return ThreadView(pk=next(_pks), id="th", load=lambda _: traces)


def rule_text(
    on: str = "run", where: str = "", name: str = "rule", key: str = "k", more: str = "", **evaluate: Any
) -> str:
    """The TOML text of one rule."""
    lines = ["[[rule]]", f"name = '{name}'", f"key = '{key}'", f"on = '{on}'"]
    lines += [f"where = '''{where}'''"] if where else []
    lines += [more, "[rule.evaluate]"]
    return "\n".join([*lines, *(f"{option} = {_toml(value)}" for option, value in evaluate.items())]) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'''{value}'''"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return repr(value)


def evaluator(on: str = "run", tools: Tools | None = None, **evaluate: Any) -> Evaluator:
    """An evaluator as a rules file makes it."""
    [rule] = parse_rules(rule_text(on, **evaluate)).rules
    return rule.build(tools or Tools())


def call(trace_id: str, n: int, text: str, *, ended: bool = True, **more: Any) -> RunRecord:
    """A model call of a trace."""
    return RunRecord(
        id=f"x:{trace_id}/{n}", trace=f"x:{trace_id}", parent=f"x:{trace_id}", kind="llm", name="gpt", position=n,
        phase=2 if ended else 1, inputs={"messages": [{"role": "user", "content": text}]},
        outputs={"role": "assistant", "content": f"answer to {text}"} if ended else None, **more,
    )  # fmt: skip


def root(trace_id: str, *, ended: bool = True, **more: Any) -> RunRecord:
    """The root of a trace."""
    return RunRecord(
        id=f"x:{trace_id}", trace=f"x:{trace_id}", kind="agent", name="agent", phase=2 if ended else 1, **more
    )


def make_store(path: Path, traces: int, calls: int = 3, *, angry: int = 7, session: str | None = None) -> Path:
    """A store of traces with model calls; every `angry`-th call holds `wtf`."""
    count = itertools.count()
    with Writer(path, create=True) as writer:
        for number in range(traces):
            name = f"t{number}"
            texts = [
                f"{'wtf' if next(count) % angry == 0 else 'hello'} {number} {n} " + "w " * 40 for n in range(calls)
            ]
            runs = [root(name, session=session), *(call(name, n, text) for n, text in enumerate(texts, 1))]
            writer.write(Batch(tuple(runs)))
    return path
