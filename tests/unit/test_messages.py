"""One chat, whatever dialect it comes in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracetui.model.messages import Message, Role, input_messages, messages_of, output_messages
from tracetui.model.offered import tools_of

ARGS = {"city": "Paris", "days": 2}
ARGS_TEXT = json.dumps(ARGS)
CALLED = {"name": "weather", "arguments": ARGS_TEXT}
TEXT_RESULT = [{"type": "text", "text": "18 C"}]


def lc(name: str, **kwargs: Any) -> dict:
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", name], "kwargs": kwargs}


# The same chat five messages long: system, user, a call beside a text, its result, an answer.
CHATS: dict[str, Any] = {
    "openai": {
        "model": "m",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
            {
                "role": "assistant", "content": "I look.", "refusal": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": CALLED}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "18 C"},
            {"role": "assistant", "content": "18 degrees."},
        ],
    },
    "anthropic": {
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "x"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "c1", "name": "weather", "input": ARGS},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c1", "content": TEXT_RESULT}],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "18 degrees."}]},
        ],
    },
    "langchain constructors": {
        "messages": [
            [
                lc("SystemMessage", content="Be brief.", type="system"),
                lc("HumanMessage", content="Weather?"),
                lc(
                    "AIMessageChunk", content="I look.",
                    tool_calls=[{"name": "weather", "args": ARGS, "id": "c1", "type": "tool_call"}],
                    additional_kwargs={"tool_calls": [{"id": "c1", "function": CALLED}]},
                ),
                lc("ToolMessage", content="18 C", tool_call_id="c1", status="success"),
                lc("AIMessage", content="18 degrees.", type="ai"),
            ]
        ]
    },
    "langchain flat": {
        "state": {
            "messages": [
                {"type": "system", "content": "Be brief."},
                {"type": "human", "content": "Weather?", "id": "1", "example": False},
                {"type": "ai", "content": "I look.", "tool_calls": [{"name": "weather", "args": ARGS, "id": "c1"}]},
                {"type": "tool", "content": "18 C", "tool_call_id": "c1", "name": "weather"},
                {"type": "ai", "content": "18 degrees.", "tool_calls": []},
            ]
        }
    },
    "langchain data": [
        {"type": "system", "data": {"content": "Be brief."}},
        {"type": "human", "data": {"content": "Weather?"}},
        {"type": "ai", "data": {"content": "I look.", "tool_calls": [{"name": "weather", "args": ARGS, "id": "c1"}]}},
        {"type": "tool", "data": {"content": "18 C", "tool_call_id": "c1"}},
        {"type": "ai", "data": {"content": "18 degrees."}},
    ],
    "genai parts as text": json.dumps(
        [
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "hm"},
                    {"type": "text", "content": "I look."},
                    {"type": "tool_call", "id": "c1", "name": "weather", "arguments": ARGS_TEXT},
                ],
            },
            {"role": "user", "parts": [{"type": "tool_call_response", "id": "c1", "result": "18 C"}]},
            {"role": "assistant", "parts": [{"type": "text", "content": "18 degrees."}], "finish_reason": "stop"},
        ]
    ),
    "genai beside instructions": {
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": "I look."},
                    {"type": "tool_call", "id": ["run", "c1"], "name": "weather", "arguments": ARGS},
                ],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": ["run", "c1"], "response": "18 C"}]},
            {"role": "model", "parts": [{"type": "text", "content": "18 degrees."}]},
        ],
    },
    "openinference": {
        "llm": {
            "input_messages": [
                {"message": {"role": "system", "content": "Be brief."}},
                {"message": {"role": "user", "contents": [{"message_content": {"type": "text", "text": "Weather?"}}]}},
                {
                    "message": {
                        "role": "unknown", "content": "I look.",
                        "tool_calls": [{"tool_call": {"id": "c1", "function": CALLED}}],
                    }
                },
                {"message": {"role": "function", "content": "18 C", "tool_call_id": "c1"}},
                {"message": {"role": "model", "content": "18 degrees."}},
            ]
        }
    },
    "google": {
        "config": {"system_instruction": {"role": "user", "parts": [{"text": "Be brief."}]}},
        "contents": [
            {"role": "user", "parts": [{"text": "Weather?"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True},
                    {"text": "I look."},
                    {"functionCall": {"id": "c1", "name": "weather", "args": ARGS}},
                ],
            },
            {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "weather", "response": "18 C"}}]},
            {"role": "model", "parts": [{"text": "18 degrees."}]},
        ],
    },
    "responses": {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
            {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": ARGS_TEXT, "id": "fc"},
            {"type": "function_call_output", "call_id": "c1", "output": "18 C"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "18 degrees."}]},
        ],
    },
    "vercel": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "input": ARGS},
                ],
            },
            {
                "role": "tool",
                "content": [
                    {
                        "type": "tool-result", "toolCallId": "c1", "toolName": "weather",
                        "output": {"type": "text", "value": "18 C"},
                    }
                ],
            },
            {"role": "assistant", "content": "18 degrees."},
        ]
    },
    "strands": [
        {"role": "system", "content": [{"text": "Be brief."}]},
        {"role": "user", "content": [{"text": "Weather?"}]},
        {
            "role": "assistant",
            "content": [{"text": "I look."}, {"toolUse": {"toolUseId": "c1", "name": "weather", "input": ARGS}}],
        },
        {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "18 C"}]}}]},
        {"role": "assistant", "content": [{"text": "18 degrees."}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize("dialect", CHATS)
def test_the_same_chat_in_every_dialect(dialect: str) -> None:
    found = input_messages(CHATS[dialect])
    assert [(message.role, message.text) for message in found] == [
        (Role.SYSTEM, "Be brief."),
        (Role.USER, "Weather?"),
        (Role.ASSISTANT, "I look."),
        (Role.TOOL, "18 C"),
        (Role.ASSISTANT, "18 degrees."),
    ]
    [call] = found[2].tool_calls
    assert (call.name, call.arguments, call.id) == ("weather", ARGS, "c1")
    assert found[3].tool_call_id == "c1"
    assert not found[3].error
    assert found[2].reasoning in ("", "hm")
    assert [m.identity for m in found] == [m.identity for m in input_messages(CHATS["openai"])]


ANSWER = {"role": "assistant", "content": "Yes."}


@pytest.mark.parametrize(
    "outputs",
    [
        {
            "choices": [
                {"index": 0, "message": ANSWER},
                {"index": 1, "message": {"role": "assistant", "content": "No."}},
            ]
        },
        {"generations": [[{"text": "Yes.", "message": lc("AIMessage", content="Yes.")}]], "llm_output": None},
        {"generations": [[{"text": "Yes.", "type": "Generation"}]]},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Yes."}]}, "finishReason": "STOP"}]},
        {"content": {"role": "model", "parts": [{"text": "Yes."}]}, "usage_metadata": {}},
        {"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes."}]}]},
        {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
        {"content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn"},
        {"llm": {"output_messages": [{"message": {"role": "assistant", "content": "Yes."}}]}},
        {"gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Yes."}]}]'},
        {"output": "Yes."},
        {"outputs": "Yes."},
        {"output": ANSWER},
        {"messages": [ANSWER]},
        "Yes.",
        [ANSWER],
        ANSWER,
    ],
)
def test_an_answer_in_every_wrapping(outputs: Any) -> None:
    assert output_messages(outputs) == [Message(role=Role.ASSISTANT, text="Yes.")]


@pytest.mark.parametrize(
    "inputs",
    [
        "Hi",
        {"prompt": "Hi"},
        {"input": "Hi"},
        {"prompts": ["Hi"]},
        {"contents": "Hi"},
        {"messages": [], "prompt": "Hi"},
        [{"type": "text", "content": "Hi"}],
        {"inputs": {"messages": [{"role": "human", "content": "Hi"}]}},
    ],
)
def test_what_a_user_asked_in_every_wrapping(inputs: Any) -> None:
    assert input_messages(inputs) == [Message(role=Role.USER, text="Hi")]


def test_arguments_of_a_tool_are_no_chat() -> None:
    assert messages_of({"city": "Paris", "options": {"units": "metric"}, "roles": [{"role": "admin", "id": 1}]}) == []


def test_a_failed_result_and_a_role_nobody_knows() -> None:
    failed, speaker = messages_of(
        [
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t", "content": "no", "is_error": True}],
            },
            {"role": "Planner", "content": "next"},
        ]
    )
    assert (failed.role, failed.error, failed.text) == (Role.TOOL, True, "no")
    assert (speaker.role, speaker.name) == (Role.ASSISTANT, "Planner")


def test_what_is_no_text_is_named_with_its_size() -> None:
    data = "A" * 16_000
    [message] = messages_of(
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64," + data}},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                {"inlineData": {"mimeType": "audio/wav", "data": data}},
            ],
        }
    )
    assert message.text.split("\n") == [
        "[image image/png, 12 KB]",
        "[image image/jpeg, 12 KB]",
        "[image, https://example.org/a.png]",
        "[file audio/wav, 12 KB]",
    ]


names = (
    "role content type messages parts text kwargs lc id tool_calls function name arguments input output message data "
    "choices generations tools parameters image_url summary call_id toolUse system source url config"
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(names.split()) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)
shapes = st.sampled_from(
    ["text", "tool_use", "tool_result", "function_call", "web_search_call", "reasoning", "image", "ai"]
)


@given(json_values, shapes)
def test_no_json_value_is_too_odd(value: Any, shape: str) -> None:
    for wrapped in (
        value,
        {"role": "user", "content": value},
        {"type": shape, "content": value, "output": value},
        [value],
    ):
        for role in (Role.USER, Role.ASSISTANT):
            for message in messages_of(wrapped, role):
                assert isinstance(message.text, str)
                assert isinstance(message.reasoning, str)
                assert all(isinstance(call.name, str) for call in message.tool_calls)
                assert message.identity == message.identity
        tools_of(wrapped, {"extra": wrapped})


def test_depth_is_no_danger() -> None:
    deep: Any = "end"
    for level in range(50_000):
        deep = {("content", "message", "kwargs", "tools", "parts")[level % 5]: [deep] if level % 2 else deep}
    assert len(messages_of(deep)) <= 1
    assert tools_of({"tools": deep}) == []


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


TOOL = {"name": "weather", "description": "Sky", "parameters": SCHEMA}
FUNCTION = {"type": "function", "function": TOOL}
INPUT_SCHEMA = {"name": "weather", "description": "Sky", "input_schema": SCHEMA}
CAMEL = {"name": "weather", "description": "Sky", "inputSchema": SCHEMA}
FLAT = {
    "llm.request.functions.0.name": "weather",
    "llm.request.functions.0.description": "Sky",
    "llm.request.functions.0.parameters": json.dumps(SCHEMA),
}


@pytest.mark.parametrize(
    ("inputs", "extra"),
    [
        ({"tools": [FUNCTION]}, None),
        ({"tools": [INPUT_SCHEMA]}, None),
        ({"config": {"tools": [{"function_declarations": [TOOL]}]}}, {}),
        (None, {"invocation_params": {"tools": [{"type": "function", **TOOL}]}}),
        (None, {"gen_ai.tool.definitions": json.dumps([CAMEL])}),
        ("hi", {"llm.tools.0.tool.json_schema": json.dumps(FUNCTION)}),
        ("hi", {"llm": {"tools": [{"tool": {"json_schema": INPUT_SCHEMA}}]}}),
        ({}, {"attributes": {"ai.prompt.tools": [json.dumps(CAMEL)]}}),
        ({}, FLAT),
        ({"tools": [{"toolSpec": {**CAMEL, "inputSchema": {"json": SCHEMA}}}]}, None),
        ({"tools": {"weather": {"description": "Sky", "parameters": SCHEMA}}}, None),
    ],
)
def test_tools_offered_in_every_dialect(inputs: Any, extra: Any) -> None:
    [tool] = tools_of(inputs, extra)
    assert (tool.name, tool.description, tool.parameters) == ("weather", "Sky", SCHEMA)


def test_real_captures_are_read(shared: Path) -> None:
    """Two calls of one agent, by different clients: the user's words, a call of get_weather, its result, the answer."""
    spans = json.loads((shared / "captures" / "otlp" / "pydantic_ai_logfire.otlp.json").read_text())
    attributes = [
        {entry["key"]: entry["value"].get("stringValue") for entry in span["attributes"]}
        for resource in spans["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]
    ]  # fmt: skip
    calls = [a for a in attributes if a.get("gen_ai.input.messages")]
    second = next(a for a in calls if "tool_call_response" in a["gen_ai.input.messages"])
    assert [(m.role.value, m.text) for m in messages_of(second["gen_ai.input.messages"])] == [
        ("user", "Weather in Paris?"), ("assistant", ""), ("tool", "18C sunny"),
    ]  # fmt: skip
    assert [t.name for t in tools_of(None, second)] == ["get_weather"]
    body = json.loads((shared / "captures" / "langsmith" / "08_batch_3.body").read_bytes())
    llm = next(run for run in body["post"] if run["run_type"] == "llm")
    assert [m.role.value for m in input_messages(llm["inputs"])] == ["system", "user", "assistant", "tool"]
