"""The texts of a run that a rule can look at, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from tracetui.evaluate.options import OptionError
from tracetui.model.chat import Message, Role
from tracetui.model.messages import input_messages
from tracetui.query.fields import nearest
from tracetui.store.parts import NOTHING, Part, part_of, strings_of

if TYPE_CHECKING:
    from tracetui.evaluate.view import RunView, TraceView

CHOICES: dict[str, str] = {
    "new user messages": "what the user says in this model call and no call before",
    "new messages": "all that is new in this model call: user, system, tool results",
    "answer": "the words of the model's answer, without its tool calls",
    "output": "every text in the outputs",
    "input": "every text in the inputs, history included",
    "tool arguments": "what a tool is called with",
    "tool results": "what a tool gave back",
    "error": "error message and stack",
    "name": "the name",
    "any": "name, error, inputs and outputs",
}
"""Choice -> what it is. Beside them: `metadata.KEY`, `inputs.PATH`, `outputs.PATH`, `extra.PATH`."""

_FIELDS = ("metadata", "inputs", "outputs", "extra")


def check_choices(option: str, choices: Sequence[str]) -> None:
    """Raise `OptionError` for a text that no run has."""
    for choice in choices:
        if choice in CHOICES or (choice.partition(".")[0] in _FIELDS and choice.partition(".")[2]):
            continue
        near = nearest(choice, list(CHOICES))
        known = ", ".join(CHOICES)
        hint = f"Did you mean {near!r}?" if near else f"There are {known}, metadata.KEY, inputs.PATH, outputs.PATH."
        raise OptionError(option, f"{option} = {choice!r} is no text of a run", hint)


def is_own(choice: str) -> bool:
    """Whether a trace has this text itself, so that it is not looked for in its runs."""
    return choice == "name" or choice.startswith("metadata.")


def texts_of(view: RunView | TraceView, choice: str) -> Part:
    """The texts of a run (of a trace: those that `is_own` names); none where it has no such thing."""
    if choice == "name":
        return _some(view.name)
    field, _, path = choice.partition(".")
    if field == "metadata" and path:
        value = at_path(view.metadata, path)
    else:
        run = cast("RunView", view)
        read = _READERS.get(choice)
        if read is not None:
            return read(run)
        value = at_path(getattr(view, field), path)
    if value is None:
        return NOTHING
    return part_of(value) if isinstance(value, str | dict | list | tuple) else Part((_as_text(value),))


def at_path(value: Any, path: str) -> Any:
    """What stands at a dotted path: the literal key first, then key by key; numbers index lists. `None`: nothing."""
    if isinstance(value, dict) and path in value:
        return value[path]
    head, _, rest = path.partition(".")
    inner: Any = None
    if isinstance(value, dict):
        inner = value.get(head)
    elif isinstance(value, list) and head.lstrip("-").isdigit() and -len(value) <= int(head) < len(value):
        inner = value[int(head)]
    return at_path(inner, rest) if rest and inner is not None else (None if rest else inner)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _some(*texts: str | None) -> Part:
    return Part(tuple(text for text in texts if text))


def _new_user(run: RunView) -> Part:
    if run.kind != "llm" and run.parent is None and run.trace is not None and not run.trace.llm_calls:
        # an agent that records no model calls: what it was asked is all there is
        return _some(*(message.text for message in input_messages(run.inputs) if message.role is Role.USER))
    return _some(*(message.text for message in run.new_messages if message.role is Role.USER))


def _new(run: RunView) -> Part:
    return Part(tuple(text for message in run.new_messages for text in _said(message)))


def _said(message: Message) -> Iterator[str]:
    if message.text:
        yield message.text
    for call in message.tool_calls:
        yield from strings_of(call.arguments)


def _answer(run: RunView) -> Part:
    if run.answer:
        return _some(*(message.text for message in run.answer if message.role is Role.ASSISTANT))
    return run.output_texts


def _arguments(run: RunView) -> Part:
    if run.kind == "tool":
        return argument_texts(run.arguments)
    if run.kind != "llm":
        return NOTHING
    calls = (call for message in run.answer for call in message.tool_calls)
    return Part(tuple(text for call in calls for text in argument_texts(call.arguments)))


def argument_texts(arguments: Any) -> Part:
    """The texts of a tool's arguments; a command given word by word is also one text."""
    values = arguments.values() if isinstance(arguments, dict) else (arguments,)
    by_word = (value for value in values if isinstance(value, list) and len(value) > 1)
    joined = (" ".join(value) for value in by_word if all(isinstance(item, str) for item in value))
    return Part((*strings_of(arguments), *joined))


def _results(run: RunView) -> Part:
    if run.kind == "tool":
        return run.output_texts
    if run.kind != "llm":
        return NOTHING
    return _some(*(message.text for message in run.new_messages if message.role is Role.TOOL))


def _any(run: RunView) -> Part:
    own = tuple(text for text in (run.name, run.error) if text)
    return Part(own + run.input_texts.items + run.output_texts.items)


_READERS: dict[str, Callable[[RunView], Part]] = {
    "new user messages": _new_user,
    "new messages": _new,
    "answer": _answer,
    "output": lambda run: run.output_texts,
    "input": lambda run: run.input_texts,
    "tool arguments": _arguments,
    "tool results": _results,
    "error": lambda run: _some(run.error),
    "any": _any,
}
