"""The formats that can be imported, one module each. A new one is a module and its place in `FORMATS`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from tracetui.ingest.documents import Document, Options, Refusal
from tracetui.ingest.formats import claude_code, labels, langsmith, mini_swe_agent, otlp, tau_bench
from tracetui.model.records import Batch


class Format(Protocol):
    """What a module of this package has."""

    NAME: str
    DESCRIPTION: str

    def sniff(self, doc: Document) -> bool:
        """Whether the head of a document looks like this format. Cheap."""

    def read(self, doc: Document, options: Options) -> Iterator[Batch | Refusal]:
        """The records of a document, and what of it is refused."""


FORMATS: tuple[Format, ...] = (claude_code, mini_swe_agent, tau_bench, langsmith, otlp, labels)
"""In the order in which they are asked whether a document is theirs."""


def recognise(doc: Document, formats: Sequence[Format] = FORMATS) -> Format | None:
    """The format of a document, by its content; `None` where it is none of these."""
    return next((each for each in formats if each.sniff(doc)), None)
