"""How what a URI names gets here: by the web, a hub or a wheel, into a cache by content."""
