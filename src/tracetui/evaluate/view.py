"""What an evaluator sees of a run, a trace or a thread.

Views are cheap: the columns of a row, and everything bigger behind a property that reads it when it is asked for. They
are made for one judgement and never changed after; evaluators keep nothing of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from tracetui.model import jsonx
from tracetui.model.chat import Message
from tracetui.model.kinds import Level
from tracetui.model.messages import output_messages
from tracetui.store.parts import Part, part_of


class Content(Protocol):
    """What a run holds beside its columns."""

    def inputs(self) -> Any:
        """The JSON value of its inputs."""

    def outputs(self) -> Any:
        """The JSON value of its outputs."""

    def extra(self) -> Any:
        """The JSON value of everything else its source said."""

    def input_texts(self) -> Part:
        """The texts of its inputs."""

    def output_texts(self) -> Part:
        """The texts of its outputs."""

    def new_messages(self) -> Sequence[Message]:
        """What is new in this model call; empty for runs that are none."""


@dataclass(frozen=True, slots=True)
class Given:
    """Content that is there already."""

    given_inputs: Any = None
    given_outputs: Any = None
    given_extra: Any = None
    given_new: tuple[Message, ...] = ()

    def inputs(self) -> Any:
        """As given."""
        return self.given_inputs

    def outputs(self) -> Any:
        """As given."""
        return self.given_outputs

    def extra(self) -> Any:
        """As given."""
        return self.given_extra

    def input_texts(self) -> Part:
        """Of what is given."""
        return part_of(self.given_inputs)

    def output_texts(self) -> Part:
        """Of what is given."""
        return part_of(self.given_outputs)

    def new_messages(self) -> Sequence[Message]:
        """As given."""
        return self.given_new


@dataclass(kw_only=True, eq=False)
class Usage:
    """Times (microseconds UTC), tokens and cost (US dollars); `None` is unknown."""

    started_at: int | None = None
    ended_at: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)
    """What evaluators have found in it, for others that look at the same, while it is judged."""


@dataclass(kw_only=True, eq=False)
class RunView(Usage):
    """One run. `trace` is set where its rule needs what came before and after it."""

    pk: int
    id: str
    name: str = ""
    kind: str = "other"
    status: str | None = None
    error: str | None = None
    parent: int | None = None
    position: int = 0
    first_token_us: int | None = None
    model: str | None = None
    metadata_json: str | None = None
    content: Content = field(default_factory=Given)
    trace: TraceView | None = None
    trace_pk: int | None = None
    level = Level.RUN

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata."""
        return _mapping(self.metadata_json)

    @cached_property
    def inputs(self) -> Any:
        """The JSON value that came in."""
        return self.content.inputs()

    @cached_property
    def outputs(self) -> Any:
        """The JSON value that came in."""
        return self.content.outputs()

    @cached_property
    def extra(self) -> Any:
        """Attributes and whatever else the source said."""
        return self.content.extra()

    @cached_property
    def input_texts(self) -> Part:
        """The texts of its inputs."""
        return self.content.input_texts()

    @cached_property
    def output_texts(self) -> Part:
        """The texts of its outputs."""
        return self.content.output_texts()

    @cached_property
    def new_messages(self) -> Sequence[Message]:
        """What this model call was told that no call of its thread before it was."""
        return self.content.new_messages()

    @cached_property
    def answer(self) -> Sequence[Message]:
        """The messages in the outputs; empty where there are none."""
        return output_messages(self.outputs)

    @property
    def failed(self) -> bool:
        """Whether the run ended in an error."""
        return self.status == "error" or bool(self.error)

    @property
    def arguments(self) -> Any:
        """What a tool is called with, without the wrapping that some sources put around it."""
        return unwrapped(self.inputs)

    @property
    def runs(self) -> tuple[RunView, ...]:
        """Itself."""
        return (self,)


@dataclass(kw_only=True, eq=False)
class TraceView(Usage):
    """One trace with all its runs in order."""

    pk: int
    id: str
    name: str = ""
    status: str | None = None
    project: str | None = None
    metadata_json: str | None = None
    run_count: int = 0
    error_count: int = 0
    llm_calls: int = 0
    tool_calls: int = 0
    load: Callable[[TraceView], tuple[RunView, ...]] = lambda _: ()
    level = Level.TRACE

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata of its root run."""
        return _mapping(self.metadata_json)

    @cached_property
    def runs(self) -> tuple[RunView, ...]:
        """Its runs by position."""
        return self.load(self)


@dataclass(kw_only=True, eq=False)
class ThreadView(Usage):
    """One thread with its traces in order."""

    pk: int
    id: str
    name: str = ""
    project: str | None = None
    implicit: bool = False
    """Made for traces without a session: feedback on it goes to its trace."""
    trace_count: int = 0
    run_count: int = 0
    error_count: int = 0
    llm_calls: int = 0
    tool_calls: int = 0
    load: Callable[[ThreadView], tuple[TraceView, ...]] = lambda _: ()
    level = Level.THREAD

    @cached_property
    def traces(self) -> tuple[TraceView, ...]:
        """Its traces by time."""
        return self.load(self)

    @property
    def runs(self) -> tuple[RunView, ...]:
        """The runs of all its traces."""
        return tuple(run for trace in self.traces for run in trace.runs)


def _mapping(text: str | None) -> Mapping[str, Any]:
    value = jsonx.loads(text) if text else None
    return value if isinstance(value, dict) else {}


View: TypeAlias = RunView | TraceView | ThreadView

_WRAPPERS = ("arguments", "args", "input", "parameters", "tool_input", "kwargs")


def unwrapped(inputs: Any) -> Any:
    """The arguments of a tool run: `{"arguments": {...}}` and its like mean the object inside."""
    if isinstance(inputs, dict) and len(inputs) <= 3:
        for name in _WRAPPERS:
            inner = inputs.get(name)
            if isinstance(inner, dict) or (inner is not None and len(inputs) == 1):
                return inner
    return inputs
