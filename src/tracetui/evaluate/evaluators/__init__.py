"""One module per evaluator; `TYPES` is the list of them that rules can name."""

from __future__ import annotations

from tracetui.evaluate.evaluators import contains, loop, regex, sequence, swallowed_error, threshold
from tracetui.evaluate.evaluators.base import EvaluatorType

TYPES: dict[str, EvaluatorType] = {
    kind.name: kind
    for kind in (
        regex.TYPE,
        contains.TYPE,
        contains.NOT_TYPE,
        threshold.TYPE,
        loop.TYPE,
        sequence.TYPE,
        swallowed_error.TYPE,
    )
}
