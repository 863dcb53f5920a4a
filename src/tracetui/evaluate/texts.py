"""The texts of a run that a rule can look at, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tracetui.evaluate.options import OptionError
from tracetui.model.chat import Message, Role
from tracetui.query.fields import nearest

if TYPE_CHECKING:
    from tracetui.evaluate.view import RunView

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
_MEMO = 100_000
_LONG = 256


def check_choices(option: str, choices: Sequence[str]) -> None:
    """Raise `OptionError` for a text that no run has."""
    for choice in choices:
        if choice in CHOICES or (choice.partition(".")[0] in _FIELDS and choice.partition(".")[2]):
            continue
        near = nearest(choice, list(CHOICES))
        known = ", ".join(CHOICES)
        hint = f"Did you mean {near!r}?" if near else f"There are {known}, metadata.KEY, inputs.PATH, outputs.PATH."
        raise OptionError(option, f"{option} = {choice!r} is no text of a run", hint)


class Strings:
    """All texts of a JSON value, in their order: string values, never keys or numbers.

    Values that the store keeps once come as the same object in every run, so what is in them is remembered by identity.
    Only containers with a long text or with a remembered container in them are such objects for sure.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, tuple[str, ...]]] = {}

    def of(self, value: Any) -> tuple[str, ...]:
        """The texts of a value."""
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, dict | list | tuple):
            return ()
        if len(self._known) > _MEMO:
            self._known.clear()
        try:
            return self._walk(value)[0]
        except RecursionError:
            return tuple(_strings_deep(value))

    def _walk(self, value: Any) -> tuple[tuple[str, ...], bool]:
        known = self._known.get(id(value))
        if known is not None:
            return known[1], True
        out: list[str] = []
        shared = False
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, str):
                out.append(item)
                shared = shared or len(item) >= _LONG
            elif isinstance(item, dict | list | tuple):
                texts, remembered = self._walk(item)
                out += texts
                shared = shared or remembered
        found = tuple(out)
        if shared:
            self._known[id(value)] = (value, found)
        return found, shared


def _strings_deep(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))
        elif isinstance(item, list | tuple):
            stack.extend(reversed(item))


def texts_of(run: RunView, choice: str, strings: Strings) -> tuple[str, ...]:
    """The texts of a run under one choice; none where the run has no such thing."""
    read = _READERS.get(choice)
    if read is not None:
        return read(run, strings)
    field, _, path = choice.partition(".")
    value = run.metadata if field == "metadata" else getattr(run, field)
    return tuple(_as_text(item) for item in [at_path(value, path)] if item is not None and not _is_container(item)) or (
        strings.of(at_path(value, path))
    )


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


def _is_container(value: Any) -> bool:
    return isinstance(value, dict | list | tuple)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _new_user(run: RunView, _: Strings) -> tuple[str, ...]:
    return tuple(message.text for message in run.new_messages if message.role is Role.USER and message.text)


def _new(run: RunView, strings: Strings) -> tuple[str, ...]:
    return tuple(text for message in run.new_messages for text in _said(message, strings))


def _said(message: Message, strings: Strings) -> Iterator[str]:
    if message.text:
        yield message.text
    for call in message.tool_calls:
        yield from strings.of(call.arguments)


def _answer(run: RunView, strings: Strings) -> tuple[str, ...]:
    if run.answer:
        return tuple(message.text for message in run.answer if message.text and message.role is Role.ASSISTANT)
    return strings.of(run.outputs)


def _arguments(run: RunView, strings: Strings) -> tuple[str, ...]:
    if run.kind == "tool":
        return argument_texts(run.arguments, strings)
    if run.kind != "llm":
        return ()
    calls = (call for message in run.answer for call in message.tool_calls)
    return tuple(text for call in calls for text in argument_texts(call.arguments, strings))


def argument_texts(arguments: Any, strings: Strings) -> tuple[str, ...]:
    """The texts of a tool's arguments; a command given word by word is also one text."""
    texts = strings.of(arguments)
    for value in arguments.values() if isinstance(arguments, dict) else (arguments,):
        if isinstance(value, list) and len(value) > 1 and all(isinstance(item, str) for item in value):
            texts = (*texts, " ".join(value))
    return texts


def _results(run: RunView, strings: Strings) -> tuple[str, ...]:
    if run.kind == "tool":
        return strings.of(run.outputs)
    if run.kind != "llm":
        return ()
    return tuple(message.text for message in run.new_messages if message.role is Role.TOOL and message.text)


def _any(run: RunView, strings: Strings) -> tuple[str, ...]:
    own = tuple(text for text in (run.name, run.error) if text)
    return own + strings.of(run.inputs) + strings.of(run.outputs)


_READERS: dict[str, Callable[[RunView, Strings], tuple[str, ...]]] = {
    "new user messages": _new_user,
    "new messages": _new,
    "answer": _answer,
    "output": lambda run, strings: strings.of(run.outputs),
    "input": lambda run, strings: strings.of(run.inputs),
    "tool arguments": _arguments,
    "tool results": _results,
    "error": lambda run, _: (run.error,) if run.error else (),
    "name": lambda run, _: (run.name,) if run.name else (),
    "any": _any,
}
