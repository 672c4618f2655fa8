"""Read-only measurements of what the pipeline did to whom, and the page that says so. Nothing here changes a row."""
