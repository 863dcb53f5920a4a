"""Which rows the tree shows: a sparse map of what is unfolded. Pure.

The tree is never built. A node that is unfolded holds the ordered keys (pks) of its children in an array and,
of those, only the unfolded ones as nodes; a screen row is found by bisecting the starts of the unfolded ones.
So finding a row costs the depth, and unfolding costs the number of unfolded siblings above, whatever the size
of the store.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tracetui.model.kinds import Level

Key = tuple[Level, int]
"""A row: its level and its pk."""
Path = tuple[Key, ...]
"""The rows from the top level down to a row, itself included."""


class Node:
    """The children of one unfolded row (or the top level)."""

    __slots__ = ("complete", "indexes", "key", "kids", "level", "nodes", "parent", "size", "starts")

    def __init__(self, key: Key | None, parent: Node | None, level: Level) -> None:
        self.key = key
        self.parent = parent
        self.level = level
        """Level of the children."""
        self.kids: array[int] = array("q")
        self.complete = False
        """Whether all children are known."""
        self.indexes: list[int] = []
        """Indexes of the unfolded children, ascending."""
        self.nodes: list[Node] = []
        self.starts: list[int] = []
        """Rows of the unfolded children, counted from this node's first child."""
        self.size = 0
        """Rows below this node: children and all that is unfolded below them."""

    def recount(self) -> None:
        """Make starts and size from the children."""
        below = 0
        self.starts = []
        for index, node in zip(self.indexes, self.nodes, strict=True):
            self.starts.append(index + below)
            below += node.size
        self.size = len(self.kids) + below

    def row_of_index(self, index: int) -> int:
        """Row of a child, counted from this node's first child."""
        place = bisect_left(self.indexes, index) - 1
        if place < 0:
            return index
        return self.starts[place] + self.nodes[place].size + index - self.indexes[place]


class Spot(NamedTuple):
    """What stands in a screen row."""

    key: Key
    depth: int
    place: int
    """Place among its siblings."""
    parent: Node
    node: Node | None
    """Its children, where it is unfolded."""


class Outline:
    """The rows of a tree of which only what is unfolded is known."""

    def __init__(self, level: Level = Level.THREAD) -> None:
        self.root = Node(None, None, level)
        self._open: dict[Key, Node] = {}

    def __len__(self) -> int:
        return self.root.size

    def at(self, row: int) -> Spot:
        """What stands in a row. Raises `IndexError` outside the tree."""
        if not 0 <= row < self.root.size:
            raise IndexError(row)
        node, depth = self.root, 0
        while True:
            place = bisect_right(node.starts, row) - 1
            if place < 0:
                return self._spot(node, row, depth, None)
            start, child, index = node.starts[place], node.nodes[place], node.indexes[place]
            if row == start:
                return self._spot(node, index, depth, child)
            if row <= start + child.size:
                node, row, depth = child, row - start - 1, depth + 1
                continue
            return self._spot(node, index + row - start - child.size, depth, None)

    def _spot(self, node: Node, index: int, depth: int, child: Node | None) -> Spot:
        return Spot((node.level, node.kids[index]), depth, index, node, child)

    def path(self, row: int) -> Path:
        """The rows from the top level down to what stands in a row."""
        spot = self.at(row)
        return (*self.above(spot.parent), spot.key)

    def above(self, node: Node | None) -> Path:
        """The path of an unfolded row; `()` of the top level."""
        out: list[Key] = []
        while node is not None and node.key is not None:
            out.append(node.key)
            node = node.parent
        return tuple(reversed(out))

    def row(self, path: Path) -> int | None:
        """The screen row of a path; `None` where a part of it is not there or folded away."""
        node, row = self.root, 0
        for depth, (level, pk) in enumerate(path):
            index = _index(node, level, pk)
            if index is None:
                return None
            row += node.row_of_index(index)
            if depth == len(path) - 1:
                return row
            child = self._open.get((level, pk))
            if child is None:
                return None
            node, row = child, row + 1
        return None

    def nearest(self, path: Path) -> int | None:
        """The row of a path, or of the lowest part of it that is on the screen."""
        for size in range(len(path), 0, -1):
            row = self.row(path[:size])
            if row is not None:
                return row
        return None

    def node(self, key: Key | None) -> Node | None:
        """The children of an unfolded row; of the top level for `None`."""
        return self.root if key is None else self._open.get(key)

    def is_open(self, key: Key) -> bool:
        """Whether a row is unfolded."""
        return key in self._open

    def opened(self) -> Iterator[Node]:
        """Every unfolded node below the top level."""
        return iter(tuple(self._open.values()))

    def unfold(self, path: Path, level: Level, kids: Sequence[int] = (), *, complete: bool = False) -> Node | None:
        """Unfold the row at the end of a path; `None` where it is not there. `level` is its children's."""
        node = self._open.get(path[-1])
        if node is not None:
            return node
        parent = self.root if len(path) == 1 else self._open.get(path[-2])
        if parent is None:
            return None
        index = _index(parent, *path[-1])
        if index is None:
            return None
        node = Node(path[-1], parent, level)
        node.kids.extend(kids)
        node.complete = complete
        node.recount()
        place = bisect_left(parent.indexes, index)
        parent.indexes.insert(place, index)
        parent.nodes.insert(place, node)
        self._open[path[-1]] = node
        self._recount(parent)
        return node

    def fold(self, key: Key) -> None:
        """Fold a row; what was unfolded below it is forgotten."""
        node = self._open.get(key)
        if node is None:
            return
        self._forget(node)
        parent = node.parent
        assert parent is not None
        place = parent.nodes.index(node)
        del parent.nodes[place], parent.indexes[place]
        self._recount(parent)

    def extend(self, key: Key | None, kids: Sequence[int], *, complete: bool) -> None:
        """More children at the end."""
        node = self.node(key)
        if node is not None:
            node.kids.extend(kids)
            node.complete = complete
            self._recount(node)

    def prepend(self, kids: Sequence[int]) -> None:
        """New rows at the top of the top level."""
        self.replace(None, [*kids, *self.root.kids], complete=self.root.complete)

    def replace(self, key: Key | None, kids: Sequence[int], *, complete: bool) -> None:
        """Other children of a row; what is unfolded among them stays so."""
        node = self.node(key)
        if node is None:
            return
        node.kids = array("q", kids)
        node.complete = complete
        kept: list[tuple[int, Node]] = []
        for child in node.nodes:
            assert child.key is not None
            index = _index(node, *child.key)
            if index is None:
                self._forget(child)
            else:
                kept.append((index, child))
        kept.sort(key=lambda pair: pair[0])
        node.indexes = [index for index, _ in kept]
        node.nodes = [child for _, child in kept]
        self._recount(node)

    def _forget(self, node: Node) -> None:
        waiting = [node]
        while waiting:
            gone = waiting.pop()
            waiting.extend(gone.nodes)
            if gone.key is not None:
                self._open.pop(gone.key, None)

    def _recount(self, node: Node | None) -> None:
        while node is not None:
            node.recount()
            node = node.parent


def _index(node: Node, level: Level, pk: int) -> int | None:
    if level != node.level:
        return None
    try:
        return node.kids.index(pk)
    except ValueError:
        return None
