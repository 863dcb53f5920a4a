"""The store: one SQLite file. The only place that knows SQL."""
