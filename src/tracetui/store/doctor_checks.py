"""The checks that are queries: each returns (row number, what to call it) of everything that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tracetui.store.rollup import USAGE


class Weight(StrEnum):
    """How grave a finding is."""

    FAULT = "fault"
    """An invariant is broken."""
    WARNING = "warning"
    """Legal, but somebody should look."""
    NOTE = "note"
    """Only takes up room."""


@dataclass(frozen=True, slots=True)
class Check:
    """A query that returns no row on a sound store."""

    name: str
    says: str
    sql: str
    weight: Weight = Weight.FAULT


OPEN_EDIT_US = 3600 * 1_000_000
"""An edit that is open for longer was cut off."""

_RUN_SUMS = """
SELECT trace, count(*) AS runs, sum(status = 'error') AS errors, sum(status = 'running') AS running,
  sum(kind = 'llm') AS llm, sum(kind = 'tool') AS tool, min(started_at) AS started, max(ended_at) AS ended
FROM run WHERE phase > 0 GROUP BY trace"""
_USAGE_SUMS = f"""
SELECT trace, {", ".join(f"sum({name}) AS {name}" for name in USAGE)} FROM run WHERE counts_usage = 1 GROUP BY trace"""
_TRACE_SUMS = f"""
SELECT thread, count(*) AS traces, sum(run_count) AS runs, sum(error_count) AS errors, sum(llm_calls) AS llm,
  sum(tool_calls) AS tool, min(started_at) AS started, max(ended_at) AS ended,
  {", ".join(f"sum({name}) AS {name}" for name in USAGE)}, max(sort_at) AS sort_at
FROM trace WHERE run_count > 0 GROUP BY thread"""
_COUNTS = (
    "{0}.run_count <> coalesce(sums.runs, 0) OR {0}.error_count <> coalesce(sums.errors, 0) "
    "OR {0}.llm_calls <> coalesce(sums.llm, 0) OR {0}.tool_calls <> coalesce(sums.tool, 0) "
    "OR {0}.started_at IS NOT sums.started OR {0}.ended_at IS NOT sums.ended"
)


def _differ(table: str, sums: str) -> str:
    """Where a usage column is not its sum. Sums of cost depend on the order in the last digits."""
    exact = [f"{table}.{name} IS NOT {sums}.{name}" for name in USAGE if name != "cost"]
    cost = (
        f"({table}.cost IS NULL) <> ({sums}.cost IS NULL) "
        f"OR abs({table}.cost - {sums}.cost) > 1e-9 * max(abs({sums}.cost), 1e-9)"
    )
    return " OR ".join([*exact, cost])


CHECKS: tuple[Check, ...] = (
    Check(
        "unnamed",
        "runs without a name or a kind",
        "SELECT pk, id FROM run WHERE phase > 0 AND (name IS NULL OR kind IS NULL)",
    ),
    Check(
        "parent_elsewhere",
        "runs whose parent is in another trace",
        "SELECT run.pk, run.id FROM run JOIN run AS above ON above.pk = run.parent WHERE above.trace <> run.trace",
    ),
    Check(
        "parent_cycle",
        "runs that hang below themselves",
        """WITH RECURSIVE top(pk) AS (
          SELECT pk FROM run WHERE parent IS NULL OR parent NOT IN (SELECT pk FROM run)
          UNION ALL SELECT run.pk FROM top JOIN run ON run.parent = top.pk)
        SELECT pk, id FROM run WHERE pk NOT IN (SELECT pk FROM top)""",
    ),
    Check(
        "trace_sums",
        "traces whose sums are not those of their runs",
        f"""SELECT trace.pk, trace.id FROM trace LEFT JOIN ({_RUN_SUMS}) AS sums ON sums.trace = trace.pk
        LEFT JOIN ({_USAGE_SUMS}) AS used ON used.trace = trace.pk
        WHERE {_COUNTS.format("trace")} OR trace.running <> coalesce(sums.running, 0)
          OR trace.sort_at <> coalesce(sums.ended, sums.started, trace.received_at) OR {_differ("trace", "used")}""",
    ),
    Check(
        "thread_sums",
        "threads whose sums are not those of their traces",
        f"""SELECT thread.pk, thread.id FROM thread LEFT JOIN ({_TRACE_SUMS}) AS sums ON sums.thread = thread.pk
        WHERE thread.trace_count <> coalesce(sums.traces, 0) OR {_COUNTS.format("thread")}
          OR thread.sort_at <> coalesce(sums.sort_at, thread.sort_at) OR {_differ("thread", "sums")}""",
    ),
    Check(
        "empty_trace",
        "traces without runs and feedback",
        """SELECT pk, id FROM trace WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.trace = trace.pk)
        AND NOT EXISTS (SELECT 1 FROM feedback WHERE feedback.trace = trace.pk)""",
    ),
    Check(
        "empty_thread",
        "threads without traces and feedback",
        """SELECT pk, id FROM thread WHERE NOT EXISTS (SELECT 1 FROM trace WHERE trace.thread = thread.pk)
        AND NOT EXISTS (SELECT 1 FROM feedback WHERE level = 'thread' AND target = thread.pk)""",
    ),
    Check(
        "future_rev",
        "rows that claim a revision the store has not reached",
        " UNION ALL ".join(
            f"SELECT pk, '{table} ' || id FROM {table} WHERE rev > (SELECT value FROM meta WHERE key = 'rev')"
            for table in ("thread", "trace", "run", "feedback")
        ),
    ),
    Check(
        "ready_running",
        "runs that are ready to be judged and still running",
        "SELECT pk, id FROM run WHERE status = 'running' AND ready_rev IS NOT NULL",
    ),
    Check(
        "lost_target",
        "feedback on what is not there",
        " UNION ALL ".join(
            f"SELECT f.pk, f.id FROM feedback AS f LEFT JOIN {table} ON {table}.pk = f.target "
            f"WHERE f.level = '{table}' AND f.deleted = 0 AND {table}.pk IS NULL"
            for table in ("thread", "trace", "run")
        ),
    ),
    Check(
        "feedback_elsewhere",
        "feedback that names another trace than its target's",
        """SELECT f.pk, f.id FROM feedback AS f JOIN run ON run.pk = f.target
        WHERE f.level = 'run' AND f.trace <> run.trace
        UNION ALL SELECT pk, id FROM feedback WHERE level = 'trace' AND trace <> target""",
    ),
    Check(
        "feedback_on_implicit",
        "feedback on a thread that only stands for its trace",
        """SELECT f.pk, f.id FROM feedback AS f JOIN thread ON thread.pk = f.target
        WHERE f.level = 'thread' AND thread.implicit = 1""",
    ),
    Check(
        "verdict_twice",
        "rules that say something twice of one row under one key",
        """SELECT f.pk, f.author || ' ' || f.key FROM feedback AS f
        WHERE f.source = 'rule' AND f.deleted = 0 AND EXISTS (
          SELECT 1 FROM feedback AS later WHERE later.level = f.level AND later.target = f.target
          AND later.key = f.key AND later.author = f.author AND later.source = 'rule' AND later.deleted = 0
          AND (later.modified_at, later.pk) > (f.modified_at, f.pk))""",
    ),
    Check(
        "rule_version",
        "work on a version of a rule that does not exist",
        """SELECT rule.pk, rule.name || ' ' || rule_work.lane FROM rule_work JOIN rule ON rule.pk = rule_work.rule
        WHERE rule_work.version > rule.version""",
    ),
    Check(
        "open_edit",
        "edits that were cut off (repair: they can be undone)",
        f"SELECT pk, author || ': ' || label FROM edit WHERE state = 'open' AND at < :now - {OPEN_EDIT_US}",
    ),
    Check(
        "not_adopted",
        "threads that feedback names without a project, and no trace has come for",
        """SELECT pk, id FROM thread WHERE implicit = 0 AND project = ''
        AND NOT EXISTS (SELECT 1 FROM trace WHERE trace.thread = thread.pk)""",
        Weight.WARNING,
    ),
)
