"""What is new in a call: each message of a user in exactly one."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracetui.model.chat import Message, Role, ToolCall
from tracetui.model.messages import messages_of
from tracetui.model.novelty import Novelty


def user(text: str) -> Message:
    return Message(role=Role.USER, text=text)


def said(text: str) -> Message:
    return Message(role=Role.ASSISTANT, text=text)


def system(text: str) -> Message:
    return Message(role=Role.SYSTEM, text=text)


def texts(messages: tuple[Message, ...]) -> list[str]:
    return [message.text for message in messages]


def test_the_predecessor_is_the_call_with_the_longest_common_prefix_not_the_last_one() -> None:
    novelty = Novelty()
    first = [system("be brief"), user("hi")]
    novelty.add("first", first, [said("hello")])
    novelty.add("aside", [system("you name threads"), user("name this")], [said("greeting")])
    new = novelty.add("second", [*first, said("hello"), user("and now?")], [said("now")])
    assert new.predecessor == "first"
    assert texts(new.new) == ["and now?"]
    assert new.earlier == 3


def test_a_retry_has_nothing_new_and_the_same_words_later_have() -> None:
    novelty = Novelty()
    asked = [user("delete it?"), said("sure?"), user("yes")]
    assert texts(novelty.add(1, asked, [said("sure again?")]).new) == ["delete it?", "sure?", "yes"]
    assert novelty.add(2, asked, [said("sure again?")]).new == ()
    assert texts(novelty.add(3, [*asked, said("sure again?"), user("yes")], []).new) == ["yes"]


def test_the_same_words_are_new_again_when_answers_are_not_recorded() -> None:
    novelty = Novelty()
    talk: list[Message] = [user("hi")]
    for turn in range(4):
        assert texts(novelty.add(turn, talk, []).new)[-1] == talk[-1].text
        talk += [said("ok"), user("yes")]


def test_a_clock_in_the_system_prompt_makes_nothing_else_new() -> None:
    novelty = Novelty()
    novelty.add(1, [system("12:00"), user("hi")], [said("hello")])
    new = novelty.add(2, [system("12:01"), user("hi"), said("hello"), user("bye")], [])
    assert texts(new.new) == ["12:01", "bye"]


def test_an_edited_tool_result_makes_the_rest_not_new() -> None:
    novelty = Novelty()
    call = Message(role=Role.ASSISTANT, tool_calls=(ToolCall("read", {"path": "a"}, "c1"),))
    result = Message(role=Role.TOOL, text="long text", tool_call_id="c1")
    cleared = Message(role=Role.TOOL, text="[cleared]", tool_call_id="c1")
    novelty.add(1, [user("read a")], [call])
    novelty.add(2, [user("read a"), call, result], [said("done")])
    novelty.add(3, [user("read a"), call, result, said("done"), user("thanks")], [said("sure")])
    new = novelty.add(4, [user("read a"), call, cleared, said("done"), user("thanks"), said("sure"), user("bye")], [])
    assert texts(new.new) == ["[cleared]", "bye"]


def test_an_answer_counts_as_sent_again_whatever_its_dialect_adds() -> None:
    novelty = Novelty()
    answer = {
        "role": "assistant", "content": "Done.\n", "refusal": None, "annotations": [], "reasoning": "hm",
        "tool_calls": [{"id": "x", "type": "function", "function": {"name": "f", "arguments": '{"b":1, "a":2}'}}],
    }  # fmt: skip
    again = {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "Done."},
            {"type": "tool_use", "id": "y", "name": "f", "input": {"a": 2, "b": 1}},
        ],
    }
    novelty.add(1, [user("go")], messages_of(answer))
    new = novelty.add(2, [user("go"), *messages_of(again), user("next")], [])
    assert texts(new.new) == ["next"]


# A conversation that grows, is rewound and continued elsewhere, is asked again, loses its beginning, and has a clock in
# its system prompt. What users type is numbered; answers and results repeat themselves.
steps = st.lists(
    st.tuples(
        st.sampled_from(["go on", "go on", "rewind", "again", "window"]),
        st.integers(1, 3),
        st.integers(0, 8),
        st.sampled_from(["ok", "done", "let me see"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=300)
@given(steps)
def test_every_message_of_a_user_is_new_exactly_once(steps: list[tuple[str, int, int, str, bool]]) -> None:
    novelty = Novelty()
    talk: list[Message] = []
    typed = 0
    new_in: Counter[str] = Counter()
    for turn, (what, calls, place, answer, recorded) in enumerate(steps):
        if what == "rewind" and talk:
            users = [i for i, message in enumerate(talk) if message.role is Role.USER]
            talk = talk[: users[place % len(users)]]
        if what == "window" and len(talk) > 4:
            talk = talk[2 * (place % (len(talk) // 2)) :]
        if what != "again" or not talk:
            talk = [*talk, user(f"message {typed}")]
            typed += 1
        for call in range(calls):
            last = call == calls - 1
            out = said(f"{answer} {turn}") if last else Message(
                role=Role.ASSISTANT, tool_calls=(ToolCall("look", {"turn": turn, "call": call}, f"c{turn}-{call}"),)
            )  # fmt: skip
            new = novelty.add((turn, call), [system(f"it is {turn}"), *talk], [out] if recorded else [])
            new_in.update(message.text for message in new.new if message.role is Role.USER)
            talk = [*talk, out] if last else [*talk, out, Message(role=Role.TOOL, text=answer)]
    assert new_in == Counter({f"message {number}": 1 for number in range(typed)})


@pytest.fixture(scope="module")
def trajectories(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[dict]]:
    with tarfile.open(next((shared / "data" / "mini-swe-agent").glob("*part-A.tar.xz"))) as archive:
        member = next(member for member in archive if member.name.endswith(".traj.json"))
        mini = json.load(archive.extractfile(member))["messages"]
    return [mini]


def test_in_a_real_trajectory_each_observation_is_new_in_one_call(trajectories: list[list[dict]]) -> None:
    for raw in trajectories:
        novelty = Novelty()
        new_in: Counter[int] = Counter()
        for at, message in enumerate(raw):
            if message["role"] == "assistant":
                new = novelty.add(at, messages_of({"messages": raw[:at]}), messages_of(message))
                new_in.update(new.fresh)
        users = [at for at, message in enumerate(raw) if message["role"] == "user"]
        assert len(users) > 20
        assert {at: new_in[at] for at in users if at < max(new_in)} == {at: 1 for at in users if at < max(new_in)}
