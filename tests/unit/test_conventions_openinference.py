"""OpenInference attributes, what several conventions say at once, and what is known by its shape alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracetui.ingest.conventions import Event, Span, meaning_of
from tracetui.ingest.conventions.scores import annotated
from tracetui.ingest.conventions.spans import nested
from tracetui.model.kinds import Kind, Level
from tracetui.model.messages import input_messages, output_messages
from tracetui.model.offered import tools_of


def fields(attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return meaning_of(Span(attributes=attributes, **more)).fields


def test_a_chat_with_flattened_messages() -> None:
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Weather?"}]}
    meaning = meaning_of(
        Span(
            name="ChatCompletion",
            started_at=1_000,
            events=(Event("First Token Stream Event", 16_000, {}),),
            attributes={
                "openinference.span.kind": "LLM", "llm.system": "openai", "llm.model_name": "gpt-4o-2026",
                "input.value": json.dumps(request), "input.mime_type": "application/json",
                "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "Weather?",
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.contents.0.message_content.type": "reasoning",
                "llm.output_messages.0.message.contents.0.message_content.text": "hm",
                "llm.output_messages.1.message.role": "assistant",
                "llm.output_messages.1.message.tool_calls.0.tool_call.id": "t1",
                "llm.output_messages.1.message.tool_calls.0.tool_call.function.name": "weather",
                "llm.output_messages.1.message.tool_calls.0.tool_call.function.arguments": '{"city":"Paris"}',
                "llm.tools.0.tool.json_schema": '{"function": {"name": "weather", "description": "Tells it"}}',
                "llm.token_count.prompt": 42, "llm.token_count.completion": 9,
                "llm.token_count.prompt_details.cache_read": 10, "llm.token_count.completion_details.reasoning": 3,
                "session.id": "thread-1", "user.id": "u-1", "metadata": '{"k": "v"}', "tag.tags": ["demo"],
            },
        )
    )  # fmt: skip
    got = meaning.fields
    assert (got["kind"], got["model"], got["provider"]) == (Kind.LLM, "gpt-4o-2026", "openai")
    assert (got["session"], got["user"], got["tags"], got["metadata"]) == ("thread-1", "u-1", ("demo",), {"k": "v"})
    assert (got["prompt_tokens"], got["completion_tokens"], got["reasoning_tokens"]) == (42, 9, 3)
    assert got["first_token_us"] == 15_000
    assert got["inputs"] == {"messages": [{"role": "user", "content": "Weather?"}]}
    (answer,) = output_messages(got["outputs"])
    assert (answer.reasoning, answer.tool_calls[0].name, answer.tool_calls[0].arguments) == (
        "hm", "weather", {"city": "Paris"},
    )  # fmt: skip
    assert meaning.rest["input.value"] == request
    assert [tool.description for tool in tools_of(got["inputs"], {"attributes": meaning.rest})] == ["Tells it"]


def test_parts_without_content_odd_roles_and_images() -> None:
    prefix = "llm.input_messages"
    got = fields(
        {
            "openinference.span.kind": "LLM",
            f"{prefix}.0.message.role": "developer",
            f"{prefix}.0.message.contents.0.message_content.text": "Be brief.",
            f"{prefix}.1.message.role": "user",
            f"{prefix}.1.message.contents.0.message_content.type": "image",
            f"{prefix}.1.message.contents.0.message_content.image.image.url": "data:image/png;base64,AAAA",
            f"{prefix}.10.message.role": "user",
            f"{prefix}.10.message.content": "last",
        }
    )
    found = input_messages(got["inputs"])
    assert [(message.role, message.text) for message in found[::2]] == [("system", "Be brief."), ("user", "last")]
    assert "image" in found[1].text


@pytest.mark.parametrize(
    ("mime", "value", "expected"),
    [
        ("application/json", '{"a": 1}', {"a": 1}),
        ("application/json", '"a"', "a"),
        ("application/json", "{broken", "{broken"),
        ("text/plain", '{"a": 1}', '{"a": 1}'),
        (None, '{"a": 1}', {"a": 1}),
        (None, "17", "17"),
    ],
)
def test_input_value_is_what_its_type_says(mime: str | None, value: str, expected: Any) -> None:
    given_ = {"openinference.span.kind": "TOOL", "input.value": value} | ({"input.mime_type": mime} if mime else {})
    assert fields(given_)["inputs"] == expected


def test_an_explicit_kind_wins() -> None:
    got = fields({"openinference.span.kind": "CHAIN", "llm.model_name": "m", "gen_ai.request.model": "m"})
    assert got["kind"] == Kind.CHAIN
    assert fields({"openinference.span.kind": "MYSTERY"})["kind"] == Kind.OTHER


def test_retrieval_and_embedding() -> None:
    got = fields(
        {
            "openinference.span.kind": "RETRIEVER", "input.value": "Paris",
            "retrieval.documents.0.document.content": "It is sunny", "retrieval.documents.0.document.score": 0.5,
        }
    )  # fmt: skip
    assert got["outputs"] == {"documents": [{"content": "It is sunny", "score": 0.5}]}
    meaning = meaning_of(
        Span(
            attributes={
                "openinference.span.kind": "EMBEDDING", "embedding.model_name": "e",
                "embedding.embeddings.0.embedding.text": "hi", "embedding.embeddings.0.embedding.vector": [0.1] * 1000,
            }
        )
    )  # fmt: skip
    assert (meaning.fields["model"], meaning.fields["inputs"]) == ("e", {"texts": ["hi"]})
    assert not any(key.endswith("vector") for key in meaning.rest)


def test_a_failed_call_names_its_model_in_the_parameters() -> None:
    got = fields({"openinference.span.kind": "LLM", "llm.invocation_parameters": '{"model": "gpt-4o"}'}, failed=True)
    assert (got["model"], got["status"]) == ("gpt-4o", "error")


def test_what_one_convention_does_not_say_is_taken_from_another() -> None:
    got = fields(
        {
            "openinference.span.kind": "LLM", "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 42,
            "llm.token_count.completion": 9, "llm.provider": "azure",
        }
    )  # fmt: skip
    assert (got["prompt_tokens"], got["completion_tokens"], got["provider"]) == (42, 9, "azure")


def test_evaluations_become_feedback() -> None:
    span = Span(
        attributes={
            "evaluations.0.evaluation.name": "correct", "evaluations.0.evaluation.score": 0.5,
            "evaluations.0.evaluation.label": "partly", "evaluations.0.evaluation.explanation": "half of it",
            "evaluations.0.evaluation.annotator_kind": "LLM",
            "evaluations.1.evaluation.name": "liked", "evaluations.1.evaluation.score": True,
            "evaluations.1.evaluation.annotator_kind": "HUMAN", "evaluations.2.evaluation.name": "says nothing",
            "trace.annotations": '[{"annotation": {"name": "good", "label": "yes"}}]',
        }
    )  # fmt: skip
    found = list(annotated(span, "otel:t/s", "otel:t", 5))
    assert [(each.key, each.level, each.target, each.source) for each in found] == [
        ("correct", Level.RUN, "otel:t/s", "judge"),
        ("liked", Level.RUN, "otel:t/s", "human"),
        ("good", Level.TRACE, "otel:t", "unknown"),
    ]
    assert (found[0].score, found[0].value, found[0].comment) == (0.5, "partly", "half of it")
    assert (found[1].score, found[1].boolean) == (1.0, True)
    assert len({each.id for each in found}) == 3


# -- by shape alone


def test_a_chat_of_a_convention_that_nobody_knows() -> None:
    got = fields(
        {
            "acme.prompt.messages": '[{"role": "user", "content": "Hi"}]',
            "acme.response": {"role": "assistant", "content": "Ho"},
            "acme.usage": '{"prompt_tokens": 4, "completion_tokens": 2}',
            "acme.model": "acme-1",
        }
    )
    assert (got["kind"], got["model"]) == (Kind.LLM, "acme-1")
    assert (got["prompt_tokens"], got["completion_tokens"]) == (4, 2)
    assert input_messages(got["inputs"])[0].text == "Hi"
    assert output_messages(got["outputs"])[0].text == "Ho"


def test_a_tool_call_of_a_convention_that_nobody_knows() -> None:
    got = fields({"tool.name": "search", "tool.arguments": '{"q": "x"}', "tool.result": "found"}, name="task")
    assert (got["kind"], got["name"], got["inputs"], got["outputs"]) == (Kind.TOOL, "search", {"q": "x"}, "found")


# -- anything at all

KEYS = st.sampled_from(
    ["gen_ai.input.messages", "gen_ai.operation.name", "gen_ai.usage.input_tokens", "gen_ai.prompt",
     "gen_ai.prompt.0.role",
     "llm.input_messages.0.message.role", "llm.input_messages.0.message", "llm.input_messages.0", "input.value",
     "input.mime_type", "metadata", "tag.tags", "llm.token_count.prompt", "openinference.span.kind", "session.id",
     "evaluations.0.evaluation.name", "evaluations", "acme.messages", "acme.output", "tool.name", "tool.arguments",
     "llm.input_messages.0.message.contents.0.message_content", "embedding.embeddings.0.embedding.vector", "error.type"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from(['[{"role": "user", "content": "x"}]', "[1", '{"a": {}}', "LLM", "chat"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=8), st.lists(st.tuples(st.text(max_size=5), VALUES), max_size=2))
def test_any_attributes_make_a_meaning(attributes: dict[str, Any], events: list[tuple[str, Any]]) -> None:
    told = tuple(Event(name, None, value if isinstance(value, dict) else {}) for name, value in events)
    span = Span(attributes=attributes, events=told)
    got = meaning_of(span).fields
    assert got["kind"] in Kind
    assert all(got.get(name) is None or got[name] >= 0 for name in ("prompt_tokens", "completion_tokens"))
    assert isinstance(got["metadata"], dict) and all(isinstance(tag, str) for tag in got["tags"])
    list(annotated(span, "otel:t/s", "otel:t", None))


@given(
    st.recursive(
        st.text(max_size=3) | st.integers(),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_what_was_flattened_comes_back(value: Any) -> None:
    flat: dict[str, Any] = {}

    def flatten(path: str, inner: Any) -> None:
        if isinstance(inner, dict | list):
            pairs = inner.items() if isinstance(inner, dict) else enumerate(inner)
            for key, each in pairs:
                flatten(f"{path}.{key}", each)
        else:
            flat[path] = inner

    flatten("p", value)
    if isinstance(value, dict | list):
        assert nested(flat, "p") == value
