"""Claude Code transcripts: records on lines -> sessions -> turns and calls -> run records.

A session may lie in several files (its own, those of its subagents, those of sessions that were forked off or resumed
from it) and a file may hold several sessions, so a file is read together with its neighbours: `survey` finds them,
`sessions` loads what belongs to one session, `turns` and `subagents` find its structure, `mapping` makes the records.
"""
