"""What marks a file as a store, and which version of the schema this program writes."""

APPLICATION_ID = int.from_bytes(b"ttui", "big")
SCHEMA_VERSION = 1
MIN_SQLITE = (3, 38, 0)
"""`->>` and STRICT tables with RETURNING."""
