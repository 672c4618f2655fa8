"""What a model's card says of its licence."""

from pathlib import Path

import yaml

_LONGEST = 2**16


def licence(folder: Path) -> str | None:
    """Return the licence that the head of a model folder's README.md names, as it stands there; None where it names none."""
    try:
        with (folder / "README.md").open(encoding="utf-8", errors="replace") as file:
            card = file.read(_LONGEST)
    except OSError:
        return None
    parts = card.split("---\n", 2)
    if len(parts) < 3 or parts[0].strip():
        return None
    try:
        head = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return None
    found = head.get("license") if isinstance(head, dict) else None
    named = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]
    return " ".join(", ".join(named).split())[:200] or None
