"""A blind sheet of candidates of all systems, mixed: readers say whether meaning and label were kept, and know not whose they are."""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.augmentation_losses import Made

READ = 40
"""Rows of each system."""
KEY = b"augmentation peers"
"""What order and draws are keyed with: who reads the sheet sees neither system nor row in them."""


def drawn(
    ids: Sequence[str], texts: Sequence[str], made: Mapping[str, Made]
) -> dict[tuple[int, str], list[str]]:
    """Return the candidates to be read, as row and text, with the systems that they were drawn of.

    Of each system `READ` of those that changed something, by keyed hash; what two systems made alike is read once.
    """
    found: dict[tuple[int, str], list[str]] = {}
    for name, one in sorted(made.items()):
        changed = [(at, said[0]) for at, said in enumerate(one.made) if said and said[0] != texts[at]]
        for line in sorted(changed, key=lambda line: keyed(name, ids[line[0]]))[:READ]:
            found.setdefault(line, []).append(name)
    return found


def write_sheet(
    ids: Sequence[str],
    texts: Sequence[str],
    labels: Sequence[str | None],
    made: Mapping[str, Made],
    sheet: Path,
    key: Path,
) -> None:
    """Write the sheet, its verdicts empty, and the key that says whose each line is."""
    found = drawn(ids, texts, made)
    lines = sorted((keyed(ids[at], said)[:12], at, said) for at, said in found)
    with sheet.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "label", "original", "candidate", "meaning_kept", "label_kept"])
        for line, at, said in lines:
            writer.writerow([line, labels[at], _inert(texts[at]), _inert(said), "", ""])
    with key.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "row", "system"])
        for line, at, said in lines:
            writer.writerows([line, ids[at], name] for name in found[at, said])


def keyed(*parts: str) -> str:
    """Return a hash that nobody reads a system or a row from."""
    return hashlib.blake2b("\0".join(parts).encode(), key=KEY, digest_size=16).hexdigest()


def _inert(said: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{said}" if said[:1] in ("=", "+", "-", "@", "\t", "\r") else said
