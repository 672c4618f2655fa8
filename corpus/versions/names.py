"""The names that versions have: each is a log, of which the last entry counts."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpus.schema import UserError
from corpus.versions.shelf import Shelf, now

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(@[a-z]+)?")


@dataclass(frozen=True)
class Ref:
    """What a name meant from some time on. `n` counts from 1; 0 with no version is a name that means nothing yet."""

    n: int
    version: str | None
    held: Mapping[str, Any]
    problem: str | None = None
    """Why an entry of the log cannot be read; it then has no version."""


@dataclass(frozen=True)
class Names:
    """The names on a shelf."""

    shelf: Shelf

    def all(self) -> list[str]:
        """Return all names, sorted."""
        return self.shelf.names("refs")

    def log(self, name: str) -> list[Ref]:
        """Return what a name has meant, the oldest first, broken entries included; nothing for one that was never given."""
        found = []
        for n in self._numbers(name):
            try:
                found.append(self._entry(name, n))
            except UserError as error:
                found.append(Ref(n, None, {"n": n}, str(error)))
        return found

    def last(self, name: str) -> Ref:
        """Return what a name means now; no other entry is read."""
        return self.before(name, 0) or Ref(0, None, {})

    def before(self, name: str, back: int) -> Ref | None:
        """Return the entry so many before the last; None for a name that was never given.

        Raises `UserError` where it did not have as many.
        """
        numbers = self._numbers(name)
        if not numbers:
            return None
        if back >= len(numbers):
            raise UserError(
                f"{name!r} has meant {len(numbers)} versions, so there is no '{name}~{back}'; see `winnow log {name}`"
            )
        return self._entry(name, numbers[-1 - back])

    def _numbers(self, name: str) -> list[int]:
        if not _NAME.fullmatch(name):
            return []
        return sorted(int(entry) for entry in self.shelf.names(f"refs/{name}") if entry.isdecimal())

    def _entry(self, name: str, n: int) -> Ref:
        return _ref(self.shelf.read(f"refs/{name}/{n}"), name, n)

    def give(self, name: str, meant: str | None, after: int, **why: str) -> Ref:
        """Let `name` mean a version (None: nothing) from now on, if its last entry is still the one numbered `after`.

        Of two writers one wins and the other is told by a `UserError`.
        """
        if not _NAME.fullmatch(name):
            raise UserError(
                f"{name!r} is no name for a version: needed small letters, digits, `.`, `_` and `-`"
            )
        entry = {"n": after + 1, "version": meant, "at": now(), **why}
        if self.last(name).n != after or not self.shelf.create(
            f"refs/{name}/{after + 1}", json.dumps(entry).encode()
        ):
            raise UserError(
                f"the name {name!r} was given to version {str(self.last(name).version)[:12]} meanwhile, and stays with it; "
                f"version {str(meant)[:12]} is published without a name: run again to build on the other"
            )
        return Ref(after + 1, meant, entry)


def _ref(raw: bytes, name: str, n: int) -> Ref:
    try:
        held = json.loads(raw)
        meant = held["version"]
        sound = held["n"] == n and (meant is None or re.fullmatch(r"[0-9a-f]{64}", meant))
    except (ValueError, KeyError, TypeError):
        sound = None
    if not sound:
        raise UserError(f"refs/{name}/{n} is not a ref; remove that file to go back to the one before")
    return Ref(n, held["version"], held)
