"""From bytes to records to rows: one module a format, and what they share."""
