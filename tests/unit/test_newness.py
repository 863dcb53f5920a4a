"""What is new in a call: reading only what was added gives what reading everything gives."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tracetui.evaluate.newness import GrowingChat
from tracetui.model.messages import input_messages

TEXT = st.sampled_from(["", "yes", "no", "long " * 60, "[x]"])
PART = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, TEXT),
    st.builds(lambda text: {"type": "tool_result", "tool_use_id": "1", "content": text}, TEXT),
    st.just({"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}}),
    st.builds(lambda text: {"type": "thinking", "thinking": text}, TEXT),
)
ITEM = st.one_of(
    st.builds(
        lambda role, text: {"role": role, "content": text},
        st.sampled_from(["system", "user", "assistant", "tool"]),
        st.one_of(TEXT, st.lists(PART, max_size=3)),
    ),
    st.builds(lambda kind, text: {"type": kind, "content": text}, st.sampled_from(["human", "ai"]), TEXT),
    st.just({"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}),
    st.just({"type": "function_call_output", "call_id": "1", "output": "done"}),
    st.builds(lambda text: {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}, TEXT),
    PART,
    TEXT,
    st.none(),
    st.builds(lambda text: [{"role": "user", "content": text}], TEXT),
)
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["messages", "input", "contents", "history", "state"]),
        st.lists(ITEM, max_size=3),
        st.sampled_from([None, "system", "tools"]),
        st.booleans(),
    ),
    max_size=6,
)


@settings(max_examples=300)
@given(CALLS)
def test_reading_what_was_added_gives_what_reading_everything_gives(calls):
    chat = GrowingChat()
    items: list[object] = []
    for key, added, beside, afresh in calls:
        items = [*([] if afresh else items), *added]
        inputs: dict[str, object] = {} if beside is None else {beside: "You help."}
        inputs[key] = items
        assert chat.read(inputs) == input_messages(inputs)


@given(st.lists(st.one_of(st.none(), TEXT, st.lists(ITEM, max_size=3)), max_size=4))
def test_any_inputs_will_do(calls):
    chat = GrowingChat()
    for inputs in calls:
        assert chat.read(inputs) == input_messages(inputs)


def test_it_agrees_with_what_the_explorer_shows(tmp_path):
    """Two traces of a session at once, a third that goes on from the first; the same by both ways."""
    import itertools

    from tracetui.evaluate.load import Loader
    from tracetui.model.kinds import Level
    from tracetui.model.records import Batch, RunRecord
    from tracetui.store.access import Access
    from tracetui.store.content import Contents
    from tracetui.store.conversation import Conversations
    from tracetui.store.writer import Writer

    count = itertools.count(1)
    said: dict[str, list[dict[str, str]]] = {"a": [], "b": []}

    def call(trace: str, talk: str) -> RunRecord:
        at = next(count)
        said[talk].append({"role": "user", "content": f"{talk} asks {at} " + "w " * (200 * (at % 2))})
        answer = {"role": "assistant", "content": f"answer {at}"}
        inputs = {"messages": list(said[talk])}
        said[talk].append(answer)
        return RunRecord(
            id=f"x:{at}", trace=f"x:t{trace}", kind="llm", name="m", position=at, session="s", inputs=inputs,
            outputs=answer,
        )  # fmt: skip

    order = [("1", "a"), ("2", "b"), ("1", "a"), ("2", "b"), ("3", "a"), ("2", "b"), ("3", "a")]
    with Writer(tmp_path / "s.db", create=True) as writer:
        writer.write(Batch(tuple(call(trace, talk) for trace, talk in order)))
    access = Access(tmp_path / "s.db")
    conversations = Conversations(access, Contents(access.conn))
    views = Loader(access.conn).views(Level.RUN, range(1, len(order) + 1))
    assert len(views) == len(order)
    for pk, view in views.items():
        shown = conversations.new_in(pk)
        assert shown is not None
        assert view.new_messages == shown.new
        assert [message.role for message in view.new_messages if message.role == "user"] == ["user"]
    access.close()
