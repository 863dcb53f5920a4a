"""Messages in lines: by role, each tool call with its result under it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tracetui.model import jsonx
from tracetui.model.chat import Message, Role, ToolCall
from tracetui.model.kinds import Kind
from tracetui.model.text import display
from tracetui.tui import cells, figures
from tracetui.tui.detail.failure import error_lines
from tracetui.tui.detail.line import BLANK, Act, Line, Page, Part, Span, Spans
from tracetui.tui.detail.prose import INDENT, heading, text_lines

_RESULT_LINES, _SYSTEM_LINES, _ARGUMENT_LINES, _REASONING_LINES = 12, 4, 12, 4
_CALL, _RESULT = "  ", "    "


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gave back: told by a message, by the tool's own run, or by both."""

    text: str = ""
    error: str | None = None
    latency_us: int | None = None
    waiting: bool = False
    """It has no end yet, or none will come."""
    run_pk: int | None = None
    """The tool's own run."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message to show. `key` stays the same when it is shown again."""

    message: Message
    key: int
    at_us: int | None = None
    results: Mapping[int, Result] = field(default_factory=dict)
    """Results of its tool calls, by their number in it."""
    did: tuple[tuple[ToolCall, Result], ...] = ()
    """What the agent did after it without being asked in so many words."""
    call: ToolCall | None = None
    """Of a tool's result: what was called."""
    latency_us: int | None = None


def chat_lines(page: Page, chat: Sequence[Said]) -> Iterator[Line]:
    """A conversation, a blank line between messages."""
    for number, said in enumerate(chat):
        if number:
            yield BLANK
        yield from said_lines(page, said)


def said_lines(page: Page, said: Said) -> Iterator[Line]:
    """One message."""
    message = said.message
    if message.role is Role.TOOL:
        yield from _answer_lines(page, said)
        return
    title = message.role.value if message.name is None else f"{message.role.value}  {display(message.name, limit=60)}"
    yield heading(title, *_clock(said.at_us))
    if message.reasoning:
        yield from text_lines(page, message.reasoning, ("thought", said.key), role="muted", lines=_REASONING_LINES)
    if message.text.strip():
        mine = message.role is Role.USER
        lead: Spans = (Span(page.glyphs.quote, "accent"), Span(" ")) if mine else INDENT
        quiet = message.role is Role.SYSTEM
        yield from text_lines(
            page,
            message.text,
            ("text", said.key),
            lead=lead,
            role="text-2" if quiet else "text",
            lines=_SYSTEM_LINES if quiet else 60,
        )
    elif not message.tool_calls and not message.reasoning:
        yield Line((Span("  empty", "off"),))
    calls = [(call, said.results.get(number)) for number, call in enumerate(message.tool_calls)]
    for number, (call, result) in enumerate([*calls, *said.did]):
        if message.text.strip() or message.reasoning or number:
            yield BLANK
        yield from call_lines(page, call, (said.key, number), result)


def _answer_lines(page: Page, said: Said) -> Iterator[Line]:
    """A tool's result that a call was given: what was called, then what came back."""
    message = said.message
    call = said.call or ToolCall(message.name or "tool", None)
    yield heading("tool result", *_clock(said.at_us))
    error = message.text if message.error else None
    result = Result("" if error else message.text, error, said.latency_us)
    yield from call_lines(page, call, (said.key, 0), result)


def call_lines(
    page: Page, call: ToolCall, key: tuple[Any, ...], result: Result | None, kind: str = Kind.TOOL
) -> Iterator[Line]:
    """A tool call, or another run in the same form, and its result under it."""
    sign = page.glyphs.kind(kind)
    name = display(call.name, limit=80)
    lead = (Span(_CALL), Span(sign + " ", "text-2"), Span(name, "text", bold=True))
    right = () if result is None else _spent(result)
    room = page.narrower(len(_CALL) + 4 + cells.width(name) + 8)
    brief = brief_arguments(call.arguments, room)
    if brief is not None:
        yield Line((*lead, Span("  " + brief, "text")), right)
    else:
        yield Line(lead, right)
        yield from _argument_lines(page, call.arguments, key)
    if result is None:
        return
    if result.error is not None:
        yield from error_lines(page, result.error, ("call", *key), indent=len(_CALL))
    elif result.waiting:
        yield Line((Span(_RESULT + "no result", "off"),))
    elif not result.text.strip():
        yield Line((Span(_RESULT + "no output", "off"),))
    else:
        yield from text_lines(
            page, result.text, ("result", *key), lead=(Span(_RESULT),), role="text-2", lines=_RESULT_LINES
        )


def _spent(result: Result) -> tuple[Span, ...]:
    return (Span(figures.duration(result.latency_us), "muted"),)


def brief_arguments(arguments: Any, room: int) -> str | None:
    """Arguments on the line of the call, `id="4411"`; `None` where they do not fit."""
    if arguments is None or arguments == {}:
        return ""
    if isinstance(arguments, dict):
        if len(arguments) > 6 or any(isinstance(value, dict | list) and value for value in arguments.values()):
            return None
        if any(isinstance(value, str) and (len(value) > room or "\n" in value) for value in arguments.values()):
            return None
        text = "  ".join(f"{display(key, limit=40)}={_scalar(value)}" for key, value in arguments.items())
    elif isinstance(arguments, str) and (len(arguments) > room or "\n" in arguments):
        return None
    else:
        text = _scalar(arguments)
    return text if cells.width(text) <= room else None


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return f'"{display(value)}"'
    return display(jsonx.dumps(value).decode("utf-8", "replace"), limit=200)


def _argument_lines(page: Page, arguments: Any, key: tuple[Any, ...]) -> Iterator[Line]:
    """Arguments under the call: each by its name, long texts in lines of their own."""
    if not isinstance(arguments, dict):
        text = arguments if isinstance(arguments, str) else jsonx.dumps(arguments).decode("utf-8", "replace")
        yield from text_lines(
            page, text, ("arguments", *key), lead=(Span(_RESULT),), role="text", lines=_ARGUMENT_LINES
        )
        return
    for name, value in list(arguments.items())[:50]:
        label = display(str(name), limit=40)
        text = value if isinstance(value, str) else jsonx.dumps(value).decode("utf-8", "replace")
        room = page.narrower(len(_RESULT) + cells.width(label) + 2)
        if "\n" not in text and len(text) <= room and cells.width(display(text)) <= room:
            yield Line((Span(f"{_RESULT}{label}  ", "muted"), Span(display(text), "text")))
        elif len(arguments) == 1:
            yield from text_lines(
                page, text, ("argument", name, *key), lead=(Span(_RESULT),), role="text", lines=_ARGUMENT_LINES
            )
        else:
            yield Line((Span(_RESULT + label, "muted"),))
            yield from text_lines(
                page, text, ("argument", name, *key), lead=(Span(_RESULT + "  "),), role="text", lines=_ARGUMENT_LINES
            )
    if len(arguments) > 50:
        yield Line((Span(_RESULT + figures.counted(len(arguments) - 50, "more argument"), "muted"),))


def earlier_line(page: Page, count: int, is_open: bool, key: str) -> Line:
    """The line that the messages which are not new are folded into."""
    text = Span(f"{page.fold_sign(is_open)} {figures.counted(count, 'earlier message')}", "muted")
    hint = (Span("   "), Span(page.more, "accent", bold=True)) if page.printed and not is_open else ()
    return Line((text, *hint), (), Part(Act.FOLD, key))


def _clock(at_us: int | None) -> tuple[Span, ...]:
    if at_us is None:
        return ()
    return (Span(seconds(at_us), "muted"),)


def seconds(at_us: int) -> str:
    """The local time of day with seconds; empty for times no calendar has."""
    try:
        return datetime.fromtimestamp(at_us / figures.SECOND_US).strftime("%H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return ""
