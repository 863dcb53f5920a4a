"""Modes: what takes the keys while it is open (filter bar, score strip, a line, a question, the help)."""
