"""OpenTelemetry GenAI attributes, in the forms that real clients send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracetui.ingest.conventions import Event, Span, meaning_of
from tracetui.model.kinds import Kind
from tracetui.model.messages import input_messages, output_messages


def fields(attributes: dict[str, Any], *events: Event, **more: Any) -> dict[str, Any]:
    return meaning_of(Span(attributes=attributes, events=events, **more)).fields


ASKED = [{"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "Sunny"}], "finish_reason": "stop"}]
SYSTEM = [{"type": "text", "content": "Be brief."}]


@pytest.mark.parametrize("pack", [json.dumps, lambda value: value], ids=["as text", "structured"])
def test_a_chat(pack: Any) -> None:
    span = Span(
        name="chat gpt-4o",
        attributes={
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "OpenAI", "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2026", "gen_ai.response.id": "r1", "gen_ai.input.messages": pack(ASKED),
            "gen_ai.output.messages": pack(ANSWERED), "gen_ai.system_instructions": pack(SYSTEM),
            "gen_ai.usage.input_tokens": "42", "gen_ai.usage.output_tokens": 9.0,
            "gen_ai.usage.cache_read.input_tokens": 10, "gen_ai.usage.reasoning.output_tokens": 3,
            "gen_ai.conversation.id": "c1", "gen_ai.response.time_to_first_chunk": 0.25, "custom": "kept",
        },
    )  # fmt: skip
    meaning = meaning_of(span)
    got = meaning.fields
    assert (got["kind"], got["name"], got["provider"], got["model"]) == (
        Kind.LLM,
        "chat gpt-4o",
        "openai",
        "gpt-4o-2026",
    )
    assert (got["response_id"], got["session"], got["first_token_us"]) == ("r1", "c1", 250_000)
    assert (got["prompt_tokens"], got["completion_tokens"]) == (42, 9)
    assert (got["cache_read_tokens"], got["reasoning_tokens"]) == (10, 3)
    assert got["inputs"] == {"messages": ASKED, "system_instructions": SYSTEM}
    assert [message.text for message in input_messages(got["inputs"])] == ["Be brief.", "Weather?"]
    assert [message.text for message in output_messages(got["outputs"])] == ["Sunny"]
    assert meaning.rest["custom"] == "kept"
    assert not any(key.endswith("messages") for key in meaning.rest)


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("text_completion", Kind.LLM), ("embeddings", Kind.EMBEDDING), ("retrieval", Kind.RETRIEVER),
        ("execute_tool", Kind.TOOL), ("invoke_agent", Kind.AGENT), ("invoke_workflow", Kind.CHAIN),
        ("agent_step", Kind.CHAIN),
    ],
)  # fmt: skip
def test_kinds(operation: str, kind: Kind) -> None:
    assert fields({"gen_ai.operation.name": operation})["kind"] == kind


def test_a_tool_call_and_an_agent_have_their_own_names() -> None:
    tool = fields(
        {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather", "gen_ai.agent.name": "helper",
            "gen_ai.tool.call.arguments": '{"city": "Paris"}', "gen_ai.tool.call.result": "18C",
        },
        name="execute_tool weather",
    )  # fmt: skip
    assert (tool["name"], tool["inputs"], tool["outputs"]) == ("weather", {"city": "Paris"}, "18C")
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"}
    assert fields(agent, name="invoke_agent helper")["name"] == "helper"
    assert fields({"gen_ai.operation.name": "chat", "gen_ai.agent.name": "helper"}, name="chat m")["name"] == "chat m"


def test_what_is_no_call_of_a_model() -> None:
    plain = fields({"http.request.method": "GET", "request.id": "7", "device.model.name": "x"}, name="GET /")
    assert (plain["kind"], plain["name"], plain.get("model")) == (Kind.OTHER, "GET /", None)
    usage_only = fields({"gen_ai.response.model": "m", "gen_ai.usage.input_tokens": 5}, name="record_usage")
    assert usage_only["kind"] == Kind.OTHER
    assert fields({"gen_ai.request.model": "m"})["kind"] == Kind.LLM


def test_a_framework_is_no_provider_and_an_empty_list_no_value() -> None:
    got = fields(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "langchain",
            "gen_ai.input.messages": [],
            "input.value": "Hi",
        }
    )
    assert got.get("provider") is None
    assert got["inputs"] == "Hi"


def test_cached_tokens_are_part_of_the_prompt() -> None:
    usage = {"gen_ai.usage.input_tokens": 42, "gen_ai.usage.cache_read.input_tokens": 10}
    assert fields(usage)["prompt_tokens"] == 42
    assert fields(usage, scope="openlit.instrumentation.anthropic")["prompt_tokens"] == 52
    apart = {"gen_ai.usage.input_tokens": 5, "gen_ai.usage.cache_creation.input_tokens": 30}
    assert fields(apart)["prompt_tokens"] == 35


def test_a_cost_of_nothing_for_many_tokens_is_unknown() -> None:
    paid = {"gen_ai.usage.input_tokens": 5, "gen_ai.cost.total_cost": 0.25}
    assert (fields(paid)["cost"], fields(paid)["cost_source"]) == (0.25, "source")
    assert fields(paid | {"gen_ai.cost.total_cost": 0.0}).get("cost") is None


def test_a_made_up_conversation_gives_way_to_a_session() -> None:
    both = {"gen_ai.conversation.id": "made-up", "session.id": "mine"}
    assert fields(both, scope="pydantic-ai")["session"] == "mine"
    assert fields(both, scope="other")["session"] == "made-up"


def event(name: str, **attributes: Any) -> Event:
    return Event(f"gen_ai.{name}", 1, attributes)


@pytest.mark.parametrize(
    "events",
    [
        [
            event("user.message", **{"gen_ai.event.content": json.dumps({"role": "user", "content": "Hi"})}),
            event("choice", **{"gen_ai.event.content": json.dumps({"index": 0, "message": {"content": "Ho"}})}),
        ],
        [event("user.message", content='[{"text": "Hi"}]'), event("choice", message='[{"text": "Ho"}]')],
        [event("user.message", content="Hi"), event("choice", message={"role": "assistant", "content": "Ho"})],
    ],
    ids=["azure", "strands", "structured"],
)  # fmt: skip
def test_messages_in_span_events(events: list[Event]) -> None:
    got = fields({"gen_ai.operation.name": "chat"}, *events)
    assert [(m.role, m.text) for m in input_messages(got["inputs"])] == [("user", "Hi")]
    assert [(m.role, m.text) for m in output_messages(got["outputs"])] == [("assistant", "Ho")]


def test_a_whole_call_in_an_event() -> None:
    held = {"gen_ai.input.messages": ASKED, "gen_ai.output.messages": ANSWERED, "gen_ai.usage.input_tokens": 3}
    got = fields(
        {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 4},
        Event("gen_ai.client.inference.operation.details", 1, held),
    )
    assert got["inputs"] == {"messages": ASKED}
    assert got["prompt_tokens"] == 4


def test_the_older_attributes() -> None:
    got = fields(
        {
            "gen_ai.system": "OpenAI", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.prompt_tokens": 42,
            "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Weather?",
            "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.tool_calls.0.id": "t1",
            "gen_ai.completion.0.tool_calls.0.name": "weather",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"city": "Paris"}',
        }
    )  # fmt: skip
    assert (got["kind"], got["prompt_tokens"]) == (Kind.LLM, 42)
    assert input_messages(got["inputs"])[0].text == "Weather?"
    (call,) = output_messages(got["outputs"])[0].tool_calls
    assert (call.name, call.arguments, call.id) == ("weather", {"city": "Paris"}, "t1")


STACK = "Traceback (most recent call last):\n  File x\nValueError: boom"


@pytest.mark.parametrize(
    ("failed", "message", "exception", "kind", "expected"),
    [
        (True, "ValueError: boom", None, None, "ValueError: boom"),
        (True, "", ("ValueError", "boom"), None, f"ValueError: boom\n{STACK}"),
        (True, "boom", ("ValueError", "boom"), None, f"ValueError: boom\n{STACK}"),
        (True, "the model was down", ("ValueError", "boom"), None, f"the model was down\n{STACK}"),
        (True, "", None, "timeout", "timeout"),
        (False, "", None, "timeout", "timeout"),
        (True, "", None, None, None),
    ],
)
def test_errors(failed: bool, message: str, exception: Any, kind: Any, expected: Any) -> None:
    events = ()
    if exception:
        told = {"exception.type": exception[0], "exception.message": exception[1], "exception.stacktrace": STACK}
        events = (Event("exception", 1, told),)
    got = fields({"error.type": kind} if kind else {}, *events, failed=failed, status_message=message)
    assert (got["status"], got["error"]) == ("error", expected)


def test_an_exception_that_was_handled_is_no_error() -> None:
    assert "status" not in fields({}, Event("exception", 1, {"exception.type": "KeyError"}))
