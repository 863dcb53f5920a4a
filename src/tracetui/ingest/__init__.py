"""From the outside world to records: files of many formats in, `Batch` and `Refusal` out."""
