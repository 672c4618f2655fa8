"""The report: one page that people read, from what `audit.json` says."""
