"""mini-swe-agent trajectories (`*.traj.json`), and the benchmark's verdict beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tracetui.ingest.documents import Document, Options, Refusal
from tracetui.ingest.jsonlines import json_value
from tracetui.ingest.trajectory import Order, mapping, named, record_id, text_of
from tracetui.ingest.usage import Usage, usage_fields
from tracetui.model import jsonx
from tracetui.model.kinds import Kind, Level, Source, Status
from tracetui.model.prices import known_cost
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.model.times import to_us

NAME = "mini-swe-agent"
DESCRIPTION = "mini-swe-agent trajectories (.traj.json) with report.json beside them"

_COMMAND = re.compile(r"```(?:bash|mswea_bash_command)\s*\n(.*?)\n```", re.DOTALL)
_RETURN_CODE = re.compile(r"\s*<returncode>\s*(-?\d+)\s*</returncode>")
_TAG = re.compile(r"</?\w+>")
_INFO = {"exit_status", "model_stats", "mini_version"}
_DONE = "Submitted"
_REPORTS = ("report.json", "../../logs/{instance}/report.json", "../logs/{instance}/report.json")
"""Where the benchmark's verdict lies, seen from the trajectory."""


def sniff(doc: Document) -> bool:
    """An object with messages and the format's name, or with what only this agent's `info` holds."""
    value = doc.glimpse[0] if len(doc.glimpse) == 1 else None
    if not isinstance(value, dict):
        return False
    if str(value.get("trajectory_format", "")).startswith(NAME):
        return True
    info = value.get("info")
    if not isinstance(info, dict) or not _INFO & info.keys() or {"trajectory", "history"} & value.keys():
        return False
    if "mini_version" in info or isinstance(value.get("messages"), list):
        return True
    return len(value) == 1 and b'"trajectory_format"' in doc.read()  # a submission longer than the head


def read(doc: Document, options: Options) -> Iterator[Batch | Refusal]:
    """One trajectory: one batch."""
    value = json_value(doc)
    if isinstance(value, Refusal):
        yield value
        return
    messages = value.get("messages") if isinstance(value, dict) else None
    if not isinstance(messages, list):
        yield Refusal(doc.path, "", "no list of messages in it")
        return
    wrong = [index for index, message in enumerate(messages) if not isinstance(message, dict)]
    for index in wrong:
        yield Refusal(doc.path, f"message {index + 1}", "not an object")
    trajectory = _Trajectory(doc, value, [each for each in messages if isinstance(each, dict)], options)
    resolved = trajectory.resolved()
    if isinstance(resolved, Refusal):
        yield resolved
    yield Batch(tuple(trajectory.runs()), () if isinstance(resolved, Refusal) else resolved)


class _Trajectory:
    def __init__(
        self, doc: Document, value: Mapping[str, Any], messages: list[dict[str, Any]], options: Options
    ) -> None:
        self._doc = doc
        self._value = value
        self._messages = messages
        self._info = mapping(value.get("info"))
        self._project = options.project
        self.instance = named(value.get("instance_id")) or doc.stem.removesuffix(".traj")
        # The first answer has the id its provider gave it, so a trajectory that is written step by step stays
        # the same one while it grows.
        first = next((each for each in messages if each.get("role") == "assistant"), messages)
        self.id = record_id(NAME, self.instance, first)
        self._order = Order()
        # what the model saw: the agent keeps its own notes under `extra`
        self._seen = [{key: sub for key, sub in each.items() if key != "extra"} for each in messages]

    def runs(self) -> Iterator[RunRecord]:
        """The root, then each call with the command it made."""
        yield self._root()
        for index, message in enumerate(self._messages):
            if message.get("role") == "assistant":
                yield self._call(index, message)
                yield from self._commands(index, message)

    def _root(self) -> RunRecord:
        status = self._info.get("exit_status")
        error = None
        if status and status != _DONE:
            trace = self._info.get("traceback")
            error = f"{status}\n{trace}" if trace else str(status)
        first = next(
            (index for index, each in enumerate(self._messages) if each.get("role") == "assistant"),
            len(self._messages),
        )
        submission = self._info.get("submission")
        stats = mapping(self._info.get("model_stats"))
        metadata = {"instance_id": self.instance, "exit_status": status, **stats}
        metadata["mini_version"] = self._info.get("mini_version")
        rest = {key: sub for key, sub in self._value.items() if key not in ("messages", "info")}
        return RunRecord(
            id=f"{self.id}/agent",
            trace=self.id,
            position=0,
            name=NAME,
            trace_name=self.instance,
            kind=Kind.AGENT,
            error=error,
            session=self.instance,
            project=self._project,
            metadata={key: sub for key, sub in metadata.items() if sub is not None},
            inputs={"messages": self._seen[:first]},
            outputs=None if submission is None else {"submission": submission},
            extra={"info": {key: sub for key, sub in self._info.items() if key != "submission"}, **rest},
        )

    def _call(self, index: int, message: Mapping[str, Any]) -> RunRecord:
        notes = mapping(message.get("extra"))
        response = mapping(notes.get("response"))
        usage = usage_fields(response.get("usage") or notes.get("usage"))
        cost = self._cost(notes, response, usage)
        started = to_us(response.get("created") or response.get("created_at"))
        model = named(response.get("model")) or named(self._model().get("model_name"))
        outputs, rest = _answer(self._seen[index], response)
        extra = {key: sub for key, sub in notes.items() if key != "response"}
        if response:
            extra["response"] = rest
        return RunRecord(
            id=f"{self.id}/{index:05}",
            trace=self.id,
            parent=f"{self.id}/agent",
            position=self._order.next(started),
            name=model or "llm",
            kind=Kind.LLM,
            project=self._project,
            started_at=started,
            model=model,
            provider=named(response.get("provider")),
            response_id=named(response.get("id")),
            cost=cost,
            cost_source=None if cost is None else "source",
            inputs={"messages": self._seen[:index]},
            outputs=outputs,
            extra=extra,
            **usage,
        )

    def _model(self) -> Mapping[str, Any]:
        return mapping(mapping(self._info.get("config")).get("model"))

    @staticmethod
    def _cost(notes: Mapping[str, Any], response: Mapping[str, Any], usage: Usage) -> float | None:
        tokens = usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)
        for said in (mapping(response.get("usage")).get("cost"), notes.get("cost")):
            cost = known_cost(said, tokens)
            if cost is not None:
                return cost
        return None

    def _commands(self, index: int, message: Mapping[str, Any]) -> Iterator[RunRecord]:
        commands = _commands_of(message)
        observations = self._observations(index, commands)
        for number, (command, seen) in enumerate(zip(commands, observations, strict=True)):
            observation = None if seen is None else self._messages[seen].get("content")
            yield RunRecord(
                id=f"{self.id}/{index:05}/{number}",
                trace=self.id,
                parent=f"{self.id}/agent",
                position=self._order.next(),
                name="bash",
                kind=Kind.TOOL,
                status=Status.ABANDONED if seen is None else None,
                error=None if seen is None else _error(self._messages[seen]),
                project=self._project,
                inputs={"command": command[0]},
                outputs=observation,
                extra={} if seen is None else mapping(self._messages[seen].get("extra")),
            )

    def _observations(self, index: int, commands: list[tuple[str, str | None]]) -> list[int | None]:
        """Which message answers each command: by id, else the next ones in their order."""
        following: list[int] = []
        for after in range(index + 1, len(self._messages)):
            if self._messages[after].get("role") not in ("user", "tool", "exit"):
                break
            following.append(after)
        by_id = {named(self._messages[after].get("tool_call_id")): after for after in reversed(following)}
        out: list[int | None] = []
        for _, call_id in commands:
            found = by_id.get(call_id) if call_id is not None else None
            if found is None:
                unnamed = (after for after in following if not self._messages[after].get("tool_call_id"))
                found = next(unnamed, None)
            out.append(found)
            if found is not None:
                following.remove(found)
                by_id.pop(call_id, None)
        return out

    def resolved(self) -> tuple[FeedbackRecord, ...] | Refusal:
        """`resolved` as feedback, where the trajectory or the benchmark's report beside it says so."""
        for given in (self._value.get("resolved"), self._info.get("resolved")):
            if isinstance(given, bool):
                return (self._feedback(given),)
        for place in _REPORTS:
            report = self._doc.sibling(place.format(instance=self.instance))
            if report is None:
                continue
            value = json_value(report)
            if isinstance(value, Refusal):
                return value
            found = _verdict(value, self.instance)
            if found is not None:
                return (self._feedback(found),)
        return ()

    def _feedback(self, resolved: bool) -> FeedbackRecord:
        return FeedbackRecord(
            level=Level.TRACE,
            target=self.id,
            key="resolved",
            score=float(resolved),
            boolean=True,
            source=Source.OUTCOME,
        )


def _verdict(report: Any, instance: str) -> bool | None:
    """`resolved` of a report: of one instance, or a table of them by instance."""
    if not isinstance(report, dict):
        return None
    for place in (report, report.get(instance)):
        if isinstance(place, dict) and isinstance(place.get("resolved"), bool):
            return bool(place["resolved"])
    return None


def _answer(message: dict[str, Any], response: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The message that is the answer, and the rest of the response: nothing is kept twice."""
    rest = dict(response)
    choices = response.get("choices")
    first = mapping(choices[0]) if isinstance(choices, list) and choices else {}
    answered = first.get("message")
    if not isinstance(choices, list) or not isinstance(answered, dict):
        return message, rest
    if answered.get("content") != message.get("content"):
        return message, rest
    rest["choices"] = [{key: sub for key, sub in first.items() if key != "message"}, *choices[1:]]
    return answered, rest


def _commands_of(message: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """The commands an answer made the agent run, each with the id of its tool call where it has one."""
    actions = mapping(message.get("extra")).get("actions")
    if isinstance(actions, list):
        found = [mapping(action) for action in actions]
        return [
            (each["command"], named(each.get("tool_call_id"))) for each in found if isinstance(each.get("command"), str)
        ]
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls:
        return [(command, named(mapping(call).get("id"))) for call in calls if (command := _argument(call))]
    blocks = _COMMAND.findall(text_of(message.get("content")))
    return [(blocks[0].strip(), None)] if len(blocks) == 1 else []


def _argument(call: Any) -> str | None:
    """The command in a tool call."""
    arguments = mapping(mapping(call).get("function")).get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = jsonx.loads(arguments)
        except ValueError:
            return arguments
    command = mapping(arguments).get("command")
    return command if isinstance(command, str) else None


def _error(observation: Mapping[str, Any]) -> str | None:
    """A return code other than 0, with the last line of the output, where programs say what went wrong."""
    text = text_of(observation.get("content"))
    said = mapping(observation.get("extra")).get("returncode")
    found = _RETURN_CODE.match(text)
    code = said if isinstance(said, int) else int(found[1]) if found else 0
    if code == 0:
        return None
    lines = [line.strip() for line in text[found.end() if found else 0 :].splitlines()]
    last = next((line for line in reversed(lines) if line and not _TAG.fullmatch(line)), "")
    return f"exit code {code}: {last[:200]}" if last else f"exit code {code}"
