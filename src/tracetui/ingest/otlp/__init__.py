"""OpenTelemetry's exchange format, decoded to plain objects: `values` (its JSON encoding), `spans` and `logs`."""
