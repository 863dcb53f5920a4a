"""Everything that is known of one row: a run with its contents, and the feedback on a row."""

from __future__ import annotations

from typing import Any

from tracetui.model import jsonx
from tracetui.model.errors import InputError
from tracetui.model.kinds import Level
from tracetui.model.rows import FeedbackRow, RunDetail
from tracetui.store.access import Access
from tracetui.store.content import Contents
from tracetui.store.finding import run_rows, runs_above, targets

_RUN = """
SELECT trace.id, CASE WHEN thread.implicit = 0 THEN thread.id END, above.id, run.session, run.user, run.provider,
  run.response_id, run.first_token_us, run.cache_write_tokens, run.reasoning_tokens, run.cost_source, run.tags,
  run.metadata, run.inputs, run.outputs, run.extra
FROM run JOIN trace ON trace.pk = run.trace JOIN thread ON thread.pk = trace.thread
  LEFT JOIN run AS above ON above.pk = run.parent
WHERE run.pk = ?"""

_FEEDBACK = (
    "f.pk, f.id, f.level, f.target, f.key, f.score, f.value, f.comment, f.correction, f.source, f.author, f.version, "
    "f.evidence, coalesce(f.source = 'rule' AND f.version < rule.version, 0), f.created_at, f.modified_at"
)
_OWN = f"""
SELECT {_FEEDBACK} FROM feedback AS f LEFT JOIN rule ON rule.name = f.author
WHERE f.level = ? AND f.target = ? AND f.deleted = 0 ORDER BY f.key, f.created_at, f.pk"""
_OF_TRACE = f"""
SELECT {_FEEDBACK} FROM feedback AS f LEFT JOIN rule ON rule.name = f.author
WHERE f.trace = ? AND f.deleted = 0 ORDER BY f.level DESC, f.key, f.created_at, f.pk"""
_OF_THREAD = f"""
SELECT {_FEEDBACK} FROM trace CROSS JOIN feedback AS f ON f.trace = trace.pk LEFT JOIN rule ON rule.name = f.author
WHERE trace.thread = ? AND f.deleted = 0 ORDER BY f.level DESC, f.key, f.created_at, f.pk"""


def run_detail(access: Access, contents: Contents, pk: int) -> RunDetail:
    """A run with its contents, feedback and the runs above it. Raises `InputError` where it is gone."""
    found = access.first(_RUN, (pk,))
    own = run_rows(access, [pk])
    if found is None or not own:
        raise InputError("Gone", "This run is no longer in the store.", "Reload the list.")
    (trace, thread, parent, session, user, provider, response, first_token, cache_write, reasoning, cost_source, tags,
     metadata, inputs, outputs, extra) = found  # fmt: skip
    kept: dict[str, Any] = dict(contents.value(extra) or {})
    told = _exact(jsonx.loads(metadata) if metadata else {}, kept.pop("metadata_exact", None) or {})
    return RunDetail(
        row=own[0], trace_id=trace, thread_id=thread, parent_id=parent, session=session, user=user,
        provider=provider, response_id=response, first_token_us=first_token, cache_write_tokens=cache_write,
        reasoning_tokens=reasoning, cost_source=cost_source, tags=tuple(jsonx.loads(tags)) if tags else (),
        metadata=told, inputs=contents.value(inputs), outputs=contents.value(outputs), extra=kept,
        feedback=feedback(access, contents, Level.RUN, pk), path=run_rows(access, runs_above(access, pk)),
    )  # fmt: skip


def _exact(cleaned: dict[str, Any], exact: dict[str, Any]) -> dict[str, Any]:
    """Metadata with the numbers that a column cannot hold (NaN, infinities) back in their places."""
    return {
        key: exact[key] if key in exact and jsonx.without_nonfinite(exact[key]) == value else value
        for key, value in cleaned.items()
    }


def feedback(
    access: Access, contents: Contents, level: Level, pk: int, *, below: bool = False
) -> tuple[FeedbackRow, ...]:
    """The live feedback on a row; with `below` also on what hangs below it. By key, the oldest first."""
    found = access.all(_OWN, (level.value, pk))
    if below and level is Level.TRACE:
        found = access.all(_OF_TRACE, (pk,))
    elif below and level is Level.THREAD:
        found += access.all(_OF_THREAD, (pk,))
    ids = {
        each: targets(access, each, [row[3] for row in found if row[2] == each.value])
        for each in {Level(row[2]) for row in found}
    }
    return tuple(_feedback_row(contents, row, ids) for row in found)


def _feedback_row(contents: Contents, row: tuple[Any, ...], ids: dict[Level, dict[int, str]]) -> FeedbackRow:
    (pk, ident, level, target, key, score, value, comment, correction, source, author, version, evidence, superseded,
     created, modified) = row  # fmt: skip
    return FeedbackRow(
        pk=pk, id=ident, level=Level(level), target_pk=target, target_id=ids[Level(level)].get(target, ""), key=key,
        score=score, value=value, comment=comment, correction=contents.value(correction), source=source,
        author=author, version=version, evidence=jsonx.loads(evidence) if evidence else None,
        superseded=bool(superseded), created_at=created, modified_at=modified,
    )  # fmt: skip
