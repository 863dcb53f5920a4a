"""What an evaluator says of a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """A hit. `evidence` says where: `text` (the choice it stands in), `run`, `start`, `end`, `match`, ..."""

    comment: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    count: int = 1
    amount: float | None = None
    """The measured number, of evaluators that measure."""


class EvaluationError(Exception):
    """A target that could not be judged; the text says why. The rule goes on with the next one."""
