"""OTLP/JSON: its encoding, real captures, logs that join their spans, and what becomes of it in a store."""

from __future__ import annotations

import base64
import json
import math
import random
import sqlite3
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracetui.ingest.documents import Document, Options, Refusal
from tracetui.ingest.formats import otlp
from tracetui.ingest.importer import import_paths
from tracetui.ingest.otlp.values import any_value, hex_id
from tracetui.ingest.walk import documents
from tracetui.model.messages import input_messages, output_messages
from tracetui.model.records import FeedbackRecord, RunRecord
from tracetui.store.content import Contents
from tracetui.store.writer import Writer


class Taken:
    def __init__(self, *paths: Path) -> None:
        self.runs: list[RunRecord] = []
        self.feedback: list[FeedbackRecord] = []
        self.refused: list[Refusal] = []
        for path in paths:
            for doc in docs_of(path):
                assert otlp.sniff(doc), doc.path
                for item in otlp.read(doc, Options()):
                    if isinstance(item, Refusal):
                        self.refused.append(item)
                    else:
                        self.runs += item.runs
                        self.feedback += item.feedback

    def of(self, kind: str) -> list[RunRecord]:
        return sorted((run for run in self.runs if run.kind == kind), key=lambda run: run.started_at or 0)


def docs_of(path: Path) -> list[Document]:
    return [each.doc for each in documents(str(path), path.stat().st_size, named=True) if not isinstance(each, Refusal)]


def write(path: Path, *values: Any, indent: int | None = None) -> Path:
    path.write_text("\n".join(json.dumps(value, indent=indent) for value in values))
    return path


def key_values(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": encoded(value)} for key, value in attributes.items()]


def encoded(value: Any) -> dict[str, Any]:
    """An `AnyValue` as exporters write it."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}[value]}
    if isinstance(value, list):
        return {"arrayValue": {"values": [encoded(inner) for inner in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": key_values(value)}}
    return {"stringValue": value}


TRACE, SPAN, CHILD = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "b7ad6b7169203332"
START = 1_790_000_000_000_000_000


def span(own: str = SPAN, attributes: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "traceId": TRACE, "spanId": own, "name": f"span {own[-1]}", "kind": 3, "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 2_000_000), "attributes": key_values(attributes or {}), **more,
    }  # fmt: skip


def spans(*items: dict[str, Any], resource: dict[str, Any] | None = None, scope: str = "lib") -> dict[str, Any]:
    inner = {"scope": {"name": scope, "version": "1"}, "spans": list(items)}
    return {"resourceSpans": [{"resource": {"attributes": key_values(resource or {})}, "scopeSpans": [inner]}]}


def log(event: str, body: Any = None, own: str = SPAN, at: int = 0, **attributes: Any) -> dict[str, Any]:
    return {
        "traceId": TRACE, "spanId": own, "timeUnixNano": str(START + at), "body": encoded(body),
        "attributes": key_values({"event.name": event, **attributes}),
    }  # fmt: skip


def logs(*items: dict[str, Any]) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"scope": {"name": "lib"}, "logRecords": list(items)}]}]}


# -- the encoding

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_value_comes_back(value: Any) -> None:
    assert any_value(json.loads(json.dumps(encoded(value)))) == value


@given(st.recursive(JSON, lambda inner: st.fixed_dictionaries({"arrayValue": inner}) | st.lists(inner), max_leaves=5))
def test_what_is_no_any_value_breaks_nothing(value: Any) -> None:
    any_value(value)


def test_integers_as_numbers_snake_case_and_bytes() -> None:
    assert any_value({"intValue": 7}) == any_value({"int_value": "7"}) == 7
    assert math.isnan(any_value({"doubleValue": "NaN"}))
    assert any_value({"bytesValue": "AAEC"}) == "AAEC"
    assert any_value({"arrayValue": {}}) == []
    deep: Any = {"stringValue": "x"}
    for _ in range(500):
        deep = {"arrayValue": {"values": [deep]}}
    any_value(deep)


def test_ids_in_hex_and_in_base64() -> None:
    assert hex_id(TRACE.upper(), 16) == TRACE
    assert hex_id(base64.b64encode(bytes.fromhex(TRACE)).decode(), 16) == TRACE
    assert hex_id("0" * 16, 8) is hex_id("", 8) is hex_id("not an id", 8) is hex_id(7, 8) is None


def test_a_span_becomes_a_run(tmp_path: Path) -> None:
    child = span(
        CHILD, {"a": 1, "b": [True, "x"]}, parentSpanId=SPAN, status={"code": 2, "message": "boom"},
        events=[{"name": "e", "timeUnixNano": str(START), "attributes": key_values({"x": 1})}],
        links=[{"traceId": TRACE, "spanId": SPAN}],
    )  # fmt: skip
    got = Taken(write(tmp_path / "t.json", spans(span(), child, resource={"service.name": "shop"})))
    root, run = got.runs
    assert (run.id, run.trace, run.parent) == (f"otel:{TRACE}/{CHILD}", f"otel:{TRACE}", root.id)
    assert (run.name, run.kind, run.phase, run.status, run.error) == ("span 2", "other", 2, "error", "boom")
    assert (run.started_at, run.ended_at) == (START // 1000, START // 1000 + 2000)
    assert run.metadata == {"service.name": "shop"}
    assert run.extra["attributes"] == {"a": 1, "b": [True, "x"]}
    assert run.extra["events"][0]["attributes"] == {"x": 1}
    assert (run.extra["span_kind"], run.extra["scope"]) == ("client", {"name": "lib", "version": "1"})
    assert run.extra["links"] == [{"trace_id": TRACE, "span_id": SPAN, "attributes": {}}]
    assert run.extra["resource"] is root.extra["resource"]


# -- the shapes of files


def test_lines_one_object_a_list_and_snake_case_are_the_same(tmp_path: Path) -> None:
    one, two = spans(span()), spans(span(CHILD))
    snake = json.loads(json.dumps(two).replace("resourceSpans", "resource_spans").replace("scopeSpans", "scope_spans")
                       .replace("traceId", "trace_id").replace("spanId", "span_id")
                       .replace("startTimeUnixNano", "start_time_unix_nano")
                       .replace("endTimeUnixNano", "end_time_unix_nano"))  # fmt: skip
    both = {"resourceSpans": one["resourceSpans"] + two["resourceSpans"]}
    files = [
        write(tmp_path / "lines.jsonl", one, two),
        write(tmp_path / "pretty.json", both, indent=2),
        write(tmp_path / "list.json", [one, two], indent=1),
        write(tmp_path / "list-line.json", [one, two]),
        write(tmp_path / "snake.jsonl", one, snake),
    ]
    expected = Taken(files[0]).runs
    assert len(expected) == 2
    for file in files[1:]:
        got = Taken(file)
        assert (got.runs, got.refused) == (expected, []), file.name


def test_what_is_wrong_is_refused_with_its_place_and_the_rest_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", spans(span(), span("zz"), 7), {"resourceMetrics": []}, {"hello": 1}, 5)  # type: ignore[arg-type]
    with path.open("a") as file:
        file.write('\n{"resourceSpans": [')
    got = Taken(path)
    assert len(got.runs) == 1
    assert [(each.place, each.why) for each in got.refused[:2]] == [
        ("line 1, resourceSpans 1, scopeSpans 1, span 2", "without a spanId"),
        ("line 1, resourceSpans 1, scopeSpans 1, span 3", "no JSON object"),
    ]
    assert [each.place for each in got.refused[2:]] == ["line 3", "line 4", "line 5"]


def test_what_only_announces_a_span_is_passed_over(tmp_path: Path) -> None:
    pending = span(CHILD, {"logfire.span_type": "pending_span"}, parentSpanId=SPAN)
    assert len(Taken(write(tmp_path / "t.json", spans(span(), pending))).runs) == 1


ATTRIBUTES = st.dictionaries(
    st.sampled_from(["gen_ai.operation.name", "session.id", "x", "input.value", "gen_ai.usage.input_tokens"]), JSON
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ATTRIBUTES, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_any_order_and_split_gives_the_same_records(
    tmp_path_factory: pytest.TempPathFactory, many: list[dict[str, Any]], dice: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("split")
    items = [span(f"{number + 1:016x}", attributes) for number, attributes in enumerate(many)]
    said = [log("gen_ai.user.message", {"content": f"m{number}"}, own=item["spanId"], at=number) for number, item in
            enumerate(items)]  # fmt: skip
    straight = Taken(write(folder / "a.jsonl", spans(*items), logs(*said)))
    lines = [spans(item) for item in items] + [logs(item) for item in said]
    dice.shuffle(lines)
    mixed = Taken(write(folder / "b.jsonl", *lines))

    def by_id(runs: list[RunRecord]) -> list[RunRecord]:
        return sorted(runs, key=lambda run: (run.id, run.phase))

    assert by_id(mixed.runs) == by_id(straight.runs)
    assert len(straight.runs) == 2 * len(items)


# -- real captures


@pytest.fixture(scope="module")
def captures(shared: Path) -> Path:
    return shared / "captures/otlp"


CHATS = ["openinference_openai", "openinference_openai_agents", "otel_openai_v2", "pydantic_ai_logfire",
         "vercel_ai_v7_otel", "openllmetry_openai_current"]  # fmt: skip


@pytest.mark.parametrize("name", CHATS)
def test_a_capture_has_two_calls(captures: Path, name: str) -> None:
    got = Taken(captures / f"{name}.otlp.json")
    calls = got.of("llm")
    assert [(call.prompt_tokens, call.completion_tokens) for call in calls] == [(42, 9), (42, 9)]
    assert {call.provider for call in calls} == {"openai"}
    assert all(call.model in ("gpt-4o-mini", "gpt-4o-mini-2026-01-01") for call in calls)
    if name != "otel_openai_v2":  # its messages are log records
        (tool_call,) = output_messages(calls[0].outputs)[-1].tool_calls
        assert (tool_call.name, tool_call.arguments) == ("get_weather", {"city": "Paris"})
        assert input_messages(calls[0].inputs)[-1].text == "Weather in Paris?"
        assert [message.role for message in input_messages(calls[1].inputs)][-1] == "tool"
        assert output_messages(calls[1].outputs)[-1].text.startswith("It is 18 C")


@pytest.mark.parametrize("name", ["openinference_openai_agents", "pydantic_ai_logfire", "vercel_ai_v7_otel"])
def test_a_capture_has_its_tool_call(captures: Path, name: str) -> None:
    (tool,) = Taken(captures / f"{name}.otlp.json").of("tool")
    assert (tool.name, tool.inputs) == ("get_weather", {"city": "Paris"})
    assert tool.outputs in ("18C sunny", {"t": 18})


def test_the_session_and_the_error_of_captures(captures: Path) -> None:
    for run in Taken(captures / "openinference_openai.otlp.json").runs:
        assert (run.session, run.user, run.tags, run.metadata["k"]) == ("thread-1", "u-1", ("demo",), "v")
    failed = [run for run in Taken(captures / "pydantic_ai_logfire.otlp.json").runs if run.error]
    assert [run.error.splitlines()[0] for run in failed if run.error] == ["ValueError: boom"]
    assert failed[0].error is not None and "Traceback" in failed[0].error


def test_every_capture_can_be_read(captures: Path) -> None:
    for path in sorted([*captures.glob("*.otlp.json"), *captures.glob("*.wire.json")]):
        got = Taken(path)
        assert got.runs and not got.refused, path.name


@pytest.fixture(scope="module")
def shop(shared: Path) -> Path:
    return shared / "data/otlp/otel-tui_test_data.jsonl.xz"


def test_the_figures_of_a_shop_that_is_no_llm_application(shop: Path, tmp_path: Path) -> None:
    got = Taken(shop)
    seen = [run for run in got.runs if run.phase > 0]
    assert (len(seen), len({run.trace for run in seen})) == (547, 141)
    assert sum(run.status == "error" for run in seen) == 107
    assert {run.kind for run in seen} == {"other"}
    assert len({run.metadata["service.name"] for run in seen}) == 8
    assert got.refused == []
    with Writer(tmp_path / "s.db", create=True) as writer:
        first = import_paths(writer, [str(shop)], Options(), form=otlp)
        again = import_paths(writer, [str(shop)], Options(), form=otlp)
    assert (first.counts.runs, first.counts.traces) == (547, 141)
    assert (again.counts.runs, again.counts.traces, again.counts.unchanged) == (0, 0, len(got.runs))


def test_the_examples_of_the_specification(shared: Path, tmp_path: Path) -> None:
    with tarfile.open(shared / "data/otlp/opentelemetry-proto_examples.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    got = Taken(*sorted(tmp_path.rglob("*.json")))
    assert [run.name for run in got.runs if run.phase > 0] == ["I'm a server span"]
    assert got.refused == []


# -- logs


def test_messages_in_log_records_are_those_of_the_span(tmp_path: Path) -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    path = write(
        tmp_path / "l.json",
        logs(
            log("gen_ai.choice", {"index": 0, "message": {"role": "assistant", "tool_calls": [call]}}, at=3),
            log("gen_ai.user.message", '{"content": "Weather?"}', at=2),  # a body that is JSON as text
            log("gen_ai.system.message", {"content": "Be brief."}, at=1),
            log("app.note", "something else", at=4),
            log("app.other", "of no span", own="", at=4),
        ),
    )
    (run,) = Taken(path).runs
    assert (run.phase, run.id, run.kind) == (0, f"otel:{TRACE}/{SPAN}", None)
    assert [(m.role, m.text) for m in input_messages(run.inputs)] == [("system", "Be brief."), ("user", "Weather?")]
    assert output_messages(run.outputs)[0].tool_calls[0].name == "weather"
    assert [key.rsplit(".", 1)[0] for key in run.extra] == [f"log.{START + at}" for at in (1, 2, 3, 4)]
    assert list(run.extra.values())[3]["body"] == "something else"


def test_a_whole_call_in_a_log_record(tmp_path: Path) -> None:
    asked = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
    held = {"gen_ai.input.messages": asked, "gen_ai.usage.input_tokens": 4, "gen_ai.response.model": "m"}
    (run,) = Taken(
        write(tmp_path / "l.json", logs(log("gen_ai.client.inference.operation.details", None, **held)))
    ).runs
    assert (run.inputs, run.prompt_tokens, run.model) == ({"messages": asked}, 4, "m")


@pytest.mark.parametrize("first", ["spans", "logs"])
def test_in_a_store_logs_and_spans_meet_in_either_order(captures: Path, tmp_path: Path, first: str) -> None:
    files = [captures / "otel_openai_v2.otlp.json", captures / "otel_openai_v2_logs.otlp.json"]
    store = tmp_path / "s.db"
    with Writer(store, create=True) as writer:
        for path in files if first == "spans" else files[::-1]:
            import_paths(writer, [str(path)], Options(), form=otlp)
    conn = sqlite3.connect(store)
    contents = Contents(conn)
    rows = conn.execute(
        "SELECT inputs, outputs, prompt_tokens FROM run WHERE kind = 'llm' ORDER BY position"
    ).fetchall()
    asked = [[message.text for message in input_messages(contents.value(row[0]))] for row in rows]
    assert asked == [["Be brief.", "Weather in Paris?"], ["Be brief.", "Weather in Paris?", "", "18C sunny"]]
    assert output_messages(contents.value(rows[1][1]))[0].text == "It is 18 C"
    assert conn.execute("SELECT run_count, prompt_tokens, completion_tokens FROM trace").fetchall() == [(3, 84, 18)]
    conn.close()


@pytest.mark.parametrize(
    ("name", "tokens"),
    [("vercel_ai_v7_otel", (87, 18)), ("openinference_openai", (87, 18)), ("openinference_openai_agents", (84, 18)),
     ("pydantic_ai_logfire", (84, 18)), ("openllmetry_openai_current", (87, 18))],
)  # fmt: skip
def test_no_usage_counts_twice(captures: Path, tmp_path: Path, name: str, tokens: tuple[int, int]) -> None:
    """Two chats of 42 and 9, and in some captures an embedding of 3."""
    store = tmp_path / "s.db"
    with Writer(store, create=True) as writer:
        import_paths(writer, [str(captures / f"{name}.otlp.json")], Options(), form=otlp)
    conn = sqlite3.connect(store)
    assert conn.execute("SELECT sum(prompt_tokens), sum(completion_tokens) FROM thread").fetchone() == tokens
    conn.close()


def test_evaluation_results_are_feedback(tmp_path: Path) -> None:
    told = {"gen_ai.evaluation.name": "Relevance", "gen_ai.evaluation.score.value": 4.0,
            "gen_ai.evaluation.score.label": "relevant", "gen_ai.evaluation.explanation": "it is"}  # fmt: skip
    event = {"name": "gen_ai.evaluation.result", "timeUnixNano": str(START), "attributes": key_values(told)}
    path = write(
        tmp_path / "e.jsonl", spans(span(events=[event])), logs(log("gen_ai.evaluation.result", None, **told))
    )  # fmt: skip
    got = Taken(path)
    assert Counter((each.key, each.score, each.value, each.comment, each.source) for each in got.feedback) == {
        ("Relevance", 4.0, "relevant", "it is", "unknown"): 2
    }
    assert {each.target for each in got.feedback} == {f"otel:{TRACE}/{SPAN}"}
    assert len({each.id for each in got.feedback}) == 2
