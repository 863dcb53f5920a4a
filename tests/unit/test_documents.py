"""Documents: reading what lies on disk, compressed or in archives, within bounds."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tracetui.ingest import documents as documents_module
from tracetui.ingest import unpack
from tracetui.ingest.documents import Document, Refusal
from tracetui.ingest.jsonlines import Line, json_lines
from tracetui.ingest.partial import glimpse
from tracetui.ingest.split import Piece, pieces
from tracetui.ingest.walk import documents, files
from tracetui.model.errors import InputError

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda sub: st.lists(sub, max_size=4) | st.dictionaries(st.text(), sub, max_size=4),
    max_leaves=20,
)


def found(path: Path) -> list[Document]:
    out = list(documents(str(path), path.stat().st_size, named=True))
    assert not [each for each in out if isinstance(each, Refusal)]
    return [each.doc for each in out if not isinstance(each, Refusal)]


def one(path: Path) -> Document:
    (doc,) = found(path)
    return doc


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def tar(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize("outer", PACKERS)
@pytest.mark.parametrize("inner", ["", *PACKERS])
def test_compression_is_seen_by_content_in_any_nesting(tmp_path: Path, outer: str, inner: str) -> None:
    content = b'{"a":1}\n' * 50_000
    packed = PACKERS[outer](PACKERS[inner](content) if inner else content)
    doc = one(write(tmp_path / "no-suffix", packed))
    assert doc.read() == content
    assert len(doc.head) == documents_module.HEAD
    assert doc.size is None


@pytest.mark.parametrize("suffix", PACKERS)
def test_two_streams_one_after_another_are_one_file(tmp_path: Path, suffix: str) -> None:
    pack = PACKERS[suffix]
    assert one(write(tmp_path / f"x{suffix}", pack(b"a\n") + pack(b"b\n"))).read() == b"a\nb\n"


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_cut_file_gives_the_lines_before_the_damage_and_says_where(tmp_path: Path, suffix: str) -> None:
    lines = b"".join(b'{"n":%d}\n' % (n * n * 7919) for n in range(60_000))
    packed = PACKERS[suffix](lines)
    doc = one(write(tmp_path / f"x.jsonl{suffix}", packed[: len(packed) * 3 // 4]))
    out = list(json_lines(doc))
    good = [each for each in out if isinstance(each, Line)]
    assert [each.value["n"] for each in good] == [n * n * 7919 for n in range(len(good))]
    assert len(good) > 20_000
    (refusal,) = [each for each in out if isinstance(each, Refusal)]
    assert refusal.place == f"after line {len(good)}"
    assert "ends too early" in refusal.why


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_bomb_is_refused(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "UNPACKED_FLOOR", 1 << 20)
    monkeypatch.setattr(unpack, "UNPACKED_RATIO", 10)
    doc = one(write(tmp_path / f"x{suffix}", PACKERS[suffix](b"\n" * (64 << 20))))
    with pytest.raises(InputError, match="unpacks to more than"):
        doc.read()


def test_a_nested_archive_cannot_unpack_past_the_limit_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "UNPACKED_FLOOR", 1 << 20)
    monkeypatch.setattr(unpack, "UNPACKED_RATIO", 10)
    bomb = lzma.compress(tar({"big": b"\0" * (64 << 20)}))
    path = write(tmp_path / "x.tar", tar({"y.tar.xz": bomb, "z.json": b"{}"}))
    out = list(documents(str(path), path.stat().st_size, named=True))
    refusals = [each for each in out if isinstance(each, Refusal)]
    assert [each.path for each in refusals] == [f"{path}!/y.tar.xz"]
    assert [each.doc.name for each in out if not isinstance(each, Refusal)] == ["z.json"]


def test_members_come_sorted_and_find_their_siblings(tmp_path: Path) -> None:
    inner = tar({"./run/b.json": b"[2]", "run/a.json": b"[1]", "run/sub/c.txt": b"c", "../../etc/x": b"x"})
    path = write(tmp_path / "x.tar.gz", gzip.compress(tar({"in/inner.tar.xz": lzma.compress(inner)})))
    docs = {doc.path: doc for doc in found(path)}
    prefix = f"{path}!/in/inner.tar.xz!/"
    assert list(docs) == [prefix + name for name in ("etc/x", "run/a.json", "run/b.json", "run/sub/c.txt")]


def test_siblings_in_an_archive_and_on_disk(tmp_path: Path) -> None:
    members = {"t/one/one.traj.json": b"{}", "logs/one/report.json": b'{"resolved":true}', "t/one/z": b"z"}
    for name, data in members.items():
        write(tmp_path / "d" / name, data)
    path = write(tmp_path / "x.tar", tar(members))
    seen = 0
    for size, name, named in [each for each in files([str(tmp_path)]) if not isinstance(each, Refusal)]:
        for each in documents(size, name, named):
            assert not isinstance(each, Refusal)
            if each.doc.name == "one.traj.json":
                seen += 1
                report = each.doc.sibling("../../logs/one/report.json")
                assert report is not None and report.read() == b'{"resolved":true}'
                assert each.doc.sibling("nothing.json") is None
                assert each.doc.sibling("../" * 9 + "etc/passwd") is None
                assert each.doc.sibling("/etc/passwd") is None
                assert [doc.name for doc in each.doc.list()] == ["one.traj.json", "z"]
                assert [doc.name for doc in each.doc.list("../../logs/one")] == ["report.json"]
    assert seen == 2
    assert path.exists()


def test_a_cut_archive_gives_its_whole_members_and_a_refusal(tmp_path: Path) -> None:
    data = tar({"a": b"a" * 2000, "b": b"b" * 2000})
    path = write(tmp_path / "x.tar", data[:3500])
    read, refusals = [], []
    for each in documents(str(path), path.stat().st_size, named=True):
        if isinstance(each, Refusal):
            refusals.append(each)
        else:
            read.append(each.doc.read())
    assert read == [b"a" * 2000]
    (refusal,) = refusals
    assert "cut off" in refusal.why or "ends inside" in refusal.why


def test_lines_are_bounded_and_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_module, "MAX_LINE", 1000)
    monkeypatch.setattr("tracetui.ingest.jsonlines.MAX_LINE", 1000)
    long = b'"' + b"x" * 3_000_000 + b'"'
    text = b"\xef\xbb\xbf[1]\r\n\n" + long + b"\n{]\n\xff\n[2]\n[3"
    out = list(json_lines(one(write(tmp_path / "x.jsonl", text))))
    assert [each for each in out if isinstance(each, Line)] == [Line(1, [1]), Line(6, [2])]
    assert [(each.place, each.why[:22]) for each in out if isinstance(each, Refusal)] == [
        ("line 3", "longer than 0 MB"),
        ("line 4", "not JSON: expecting pr"),
        ("line 5", "not UTF-8 at byte 1"),
        ("line 7", "the file ends inside t"),
    ]


def test_what_is_no_file(tmp_path: Path) -> None:
    out = list(files([str(tmp_path / "absent"), "/dev/null"]))
    assert out == [
        Refusal(str(tmp_path / "absent"), "", "no such file or directory"),
        Refusal("/dev/null", "", "neither a regular file nor a directory"),
    ]


@given(st.lists(JSON, max_size=6), st.sampled_from([None, 1]))
def test_the_pieces_of_a_list_are_its_items(tmp_path_factory: pytest.TempPathFactory, value: list[object], indent):
    path = write(tmp_path_factory.getbasetemp() / "list.json", json.dumps(value, indent=indent).encode())
    assert list(pieces(one(path))) == [Piece(None, index, item) for index, item in enumerate(value)]


@given(st.dictionaries(st.text(), JSON, max_size=4), st.lists(JSON, max_size=4), st.booleans())
def test_the_pieces_of_an_object(tmp_path_factory: pytest.TempPathFactory, value, runs, ascii):
    value.pop("runs", None)
    text = json.dumps({"runs": runs, **value}, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    path = write(tmp_path_factory.getbasetemp() / "object.json", text)
    expected = [Piece("runs", index, item) for index, item in enumerate(runs)]
    expected += [Piece(key, None, item) for key, item in value.items()]
    assert list(pieces(one(path), keys={"runs"})) == expected


def test_a_wrong_item_costs_itself_and_a_cut_file_its_last(tmp_path: Path) -> None:
    text = b'[{"a":1}, {"a":}, {"s":"}]\\"["}, {"big":123456789012345678901234567890,"nan":NaN}, {"c": [1'
    out = list(pieces(one(write(tmp_path / "x.json", text)), noun="trajectory"))
    assert [each.index for each in out if isinstance(each, Piece)] == [0, 2, 3]
    assert out[2] == Piece(None, 2, {"s": '}]"['})
    assert isinstance(out[3], Piece) and out[3].value["big"] == 123456789012345678901234567890
    assert [(each.place, each.why) for each in out if isinstance(each, Refusal)] == [
        ("trajectory 2", "not JSON: expecting value at column 6 of it"),
        ("trajectory 5", "the file ends inside it (cut off?)"),
    ]


def test_a_list_that_ends_between_items(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", b'[{"a":1}, 2')
    assert list(pieces(one(path))) == [
        Piece(None, 0, {"a": 1}),
        Piece(None, 1, 2),
        Refusal(str(path), "after item 2", "the file ends here (cut off?)"),
    ]


def test_values_longer_than_a_chunk_are_whole(tmp_path: Path) -> None:
    value = [{"k": "[{" * 400_000, "n": list(range(100_000))}, "x" * 700_000 + '"', 12]
    out = list(pieces(one(write(tmp_path / "x.json", json.dumps(value).encode()))))
    assert [each.value for each in out if isinstance(each, Piece)] == value


@given(st.dictionaries(st.text(), JSON, min_size=1, max_size=5), st.integers(1, 400), st.sampled_from([None, 2]))
def test_a_glimpse_shows_whole_members_only(value: dict[str, object], size: int, indent: int | None) -> None:
    text = json.dumps(value, indent=indent).encode()
    seen = glimpse(text[:size], cut=size < len(text))
    if size >= len(text):
        assert seen == (value,)
    for each in seen:
        assert isinstance(each, dict)
        keys = list(each)
        assert keys == list(value)[: len(keys)]
        assert all(each[key] == value[key] for key in keys[:-1])


def test_a_glimpse_passes_over_a_broken_first_line() -> None:
    assert glimpse(b'{"a": tru\n{"b": 1}\n{"c"', cut=True) == ({"b": 1},)
    assert glimpse(b"plain text", cut=False) == ()
    assert glimpse(b'{"a": {"b": [1, {"c": 2, "d": "' + b"x" * 99, cut=True) == ({"a": {"b": [1, {"c": 2}]}},)
