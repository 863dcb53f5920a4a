"""What is new in a call of a model, among the calls of its thread.

Every call sends the whole conversation again. Its predecessor is the earlier call of the thread with the longest
common prefix of messages, compared by what they say (`Message.identity`); the rest is new. One walk down a trie of
what the thread has said finds it. Every message a user wrote is new in exactly one call.

Two things are no prefix and still nothing new. System messages at the start may change with every call (a clock):
they are compared by themselves. And a conversation may come back with its beginning cut off, summed up or edited:
then what stands up to its last answer is looked for anywhere in the trie.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from tracetui.model.chat import Message, Role

_CANDIDATES = 16
"""Places in the trie that are tried for a message off the prefix, the latest first."""


@dataclass(frozen=True, slots=True)
class NewInCall:
    """What a call was given, and which of it is new. What it answered is always new."""

    inputs: tuple[Message, ...]
    fresh: tuple[int, ...]
    """Indexes of the new messages in `inputs`, ascending."""
    predecessor: Hashable | None = None
    """The key of the earlier call that it goes on from."""

    @property
    def new(self) -> tuple[Message, ...]:
        """The messages that no earlier call of the thread had."""
        return tuple(self.inputs[index] for index in self.fresh)

    @property
    def earlier(self) -> int:
        """How many of the messages are not new."""
        return len(self.inputs) - len(self.fresh)


class Novelty:
    """The calls of one thread, added in their order."""

    def __init__(self) -> None:
        self._tokens: dict[bytes, int] = {}
        self._next: dict[int, int] = {}  # (node, token) -> node, as one number
        self._places: dict[int, list[int]] = {}  # token -> the nodes that end in it, oldest first
        self._last: list[Hashable | None] = [None]  # node -> the latest call that went through it
        self._unanswered: set[int] = set()  # nodes where a call ended whose answer is not known
        self._systems: set[bytes] = set()

    def add(self, key: Hashable, inputs: Sequence[Message], outputs: Sequence[Message]) -> NewInCall:
        """What is new in the next call. `key` names it, to be the predecessor of later ones."""
        start = next((i for i, message in enumerate(inputs) if message.role is not Role.SYSTEM), len(inputs))
        fresh = [i for i in range(start) if inputs[i].identity not in self._systems]
        self._systems.update(message.identity for message in inputs[:start])
        path = [self._token(message) for message in inputs[start:]]
        node, length = self._walk(0, path, 0)
        predecessor = self._last[node] if length else None
        seen = self._seen_elsewhere(inputs[start:], path, length)
        fresh += [start + i for i in range(length, len(path)) if i not in seen]
        end = self._grow(key, path + [self._token(message) for message in outputs])
        if not outputs:
            self._unanswered.add(end)
        return NewInCall(tuple(inputs), tuple(fresh), predecessor)

    def _token(self, message: Message) -> int:
        return self._tokens.setdefault(message.identity, len(self._tokens))

    def _walk(self, node: int, path: Sequence[int], at: int) -> tuple[int, int]:
        """The node that the path from `at` leads to, and how many steps of it exist."""
        length = 0
        for token in path[at:]:
            following = self._next.get(node << 32 | token)
            if following is None:
                break
            node, length = following, length + 1
        return node, length

    def _seen_elsewhere(self, messages: Sequence[Message], path: Sequence[int], at: int) -> set[int]:
        """Indexes beyond the common prefix of what an earlier call had at another place.

        Only up to the last answer: what comes after it is what the call was made for. One message alone says little
        (people type `yes` more than once), except an answer, which is in an input because it was given before, and
        what stands before an answer that was not recorded.
        """
        end = max((i for i in range(at, len(path)) if messages[i].role is Role.ASSISTANT), default=-1) + 1
        seen: set[int] = set()
        while at < end:
            places = self._places.get(path[at], [])[-_CANDIDATES:]
            length = max((1 + self._walk(node, path, at + 1)[1] for node in places), default=0)
            if length > 1 or (length == 1 and self._telling(messages, at, places)):
                seen.update(range(at, min(at + length, end)))
            at += max(length, 1)
        return seen

    def _telling(self, messages: Sequence[Message], at: int, places: Sequence[int]) -> bool:
        if messages[at].role is Role.ASSISTANT:
            return True
        return messages[at + 1].role is Role.ASSISTANT and not self._unanswered.isdisjoint(places)

    def _grow(self, key: Hashable, path: Sequence[int]) -> int:
        node = 0
        for token in path:
            place = node << 32 | token
            following = self._next.get(place)
            if following is None:
                following = self._next[place] = len(self._last)
                self._last.append(key)
                self._places.setdefault(token, []).append(following)
            node = following
            self._last[node] = key
        return node
