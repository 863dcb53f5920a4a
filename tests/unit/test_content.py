"""Stored JSON comes back as it came in, and is stored once."""

from __future__ import annotations

import math
import sqlite3
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracetui.model import jsonx
from tracetui.store.content import Contents, Encoder, refs
from tracetui.store.db import connect_write


@pytest.fixture
def conn(tmp_path) -> sqlite3.Connection:
    connection = connect_write(tmp_path / "s.db", create=True)
    yield connection
    connection.close()


def encoder_of(conn: sqlite3.Connection) -> Encoder:
    encoder = Encoder(conn)
    encoder.begin(alone=False)
    return encoder


# any text, lone surrogates and controls included; now and then long enough to become a node
texts = st.one_of(
    st.text(st.characters(), max_size=12),
    st.text(st.characters(), min_size=1, max_size=8).map(lambda text: text * 60),
)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(min_value=2**62, max_value=2**80), st.floats(), texts
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.lists(inner, min_size=1, max_size=2).map(lambda items: items * 25),
        st.dictionaries(st.one_of(st.just(""), texts), inner, max_size=5),
    ),
    max_leaves=40,
)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON values: types, key order and NaN included."""
    if isinstance(one, float) and isinstance(other, float):
        return (one != one and other != other) or (one == other and math.copysign(1, one) == math.copysign(1, other))
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@settings(max_examples=120, deadline=None)
@given(st.lists(values, min_size=1, max_size=3))
def test_any_value_comes_back(tmp_path_factory, items):
    conn = connect_write(tmp_path_factory.mktemp("c") / "s.db", create=True)
    encoder = encoder_of(conn)
    blobs = [encoder.encode(item) for item in items]
    encoder.flush()
    decoded = Contents(conn)
    assert all(same(decoded.value(blob), item) for blob, item in zip(blobs, items, strict=True))
    stored = conn.execute("SELECT count(*) FROM content").fetchone()[0]
    encoder.forget()
    assert [encoder.encode(item) for item in items] == blobs, "the same values give the same texts"
    encoder.flush()
    assert conn.execute("SELECT count(*) FROM content").fetchone()[0] == stored, "and add nothing"
    conn.close()


@settings(max_examples=120, deadline=None)
@given(values)
def test_json_text_round_trip(value):
    assert same(jsonx.loads(jsonx.dumps(value)), value)


def test_a_growing_history_is_stored_once(conn):
    messages = [{"role": "user", "content": f"{index} " + "word " * 100} for index in range(200)]
    encoder = encoder_of(conn)
    blobs = [encoder.encode({"messages": messages[:count]}) for count in range(1, 201)]
    encoder.flush()
    stored, size = conn.execute("SELECT count(*), sum(size) FROM content").fetchone()
    raw = sum(len(jsonx.dumps({"messages": messages[:count]})) for count in range(1, 201))
    assert raw > 40 * size, "the sum of all calls is quadratic, what is stored is not"
    assert stored < 3 * 200
    contents = Contents(conn)
    assert contents.value(blobs[99]) == {"messages": messages[:100]}
    first, later = contents.value(blobs[99])["messages"][0], contents.value(blobs[150])["messages"][0]
    assert first is later, "a shared message is one object, so that memos by identity work"


def test_identity_and_equality_give_the_same_text(conn):
    big = {"text": "x" * 400}
    encoder = encoder_of(conn)
    shared = encoder.encode([big, big])
    encoder.forget()
    assert encoder.encode([{"text": "x" * 400}, {"text": "x" * 400}]) == shared


@pytest.mark.parametrize("depth", [140, 300, 900])
def test_deep_values_survive(conn, depth):
    value: Any = "core " * 100
    for level in range(depth):
        value = [value] if level % 2 else {"k": value, "n": level}
    encoder = encoder_of(conn)
    blob = encoder.encode(value)
    encoder.flush()
    assert same_deep(Contents(conn).value(blob), value)


def same_deep(one: Any, other: Any) -> bool:
    while isinstance(one, dict | list):
        if isinstance(one, dict):
            if one["n"] != other["n"]:
                return False
            one, other = one["k"], other["k"]
        else:
            one, other = one[0], other[0]
    return one == other


def test_what_looks_like_a_reference_is_none(conn):
    encoder, contents = encoder_of(conn), Contents(conn)
    for value in ({"": 1}, {"": -1}, [{"": -5}], {"a": {"": {"": [1]}}}, {"": [1]}, {"": {"": 7}, "b": 1}):
        blob = encoder.encode(value)
        encoder.flush()
        assert contents.value(blob) == value
        assert list(refs(blob)) == []
