"""Which rows are meant, all that grew of them included, and where a store holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import text
from corpus.forgetting import corrected
from corpus.forgetting.places import Place, everywhere
from corpus.schema import UnreachableError, UserError, keyed_id
from corpus.store import Store
from corpus.versions.forgotten import record, records

_COLUMNS = ("id", "source", "parent", "messages", "label", "groups", "extra")
_PREFIX = 8
"""Digits of an id that name its row: fewer may be a key."""


@dataclass(frozen=True)
class Wanted:
    """Which rows are to be forgotten: those of a source, one (by id, unique prefix or key), or those that match.

    `pattern` is a regular expression in RE2's syntax, which no text can make slow; it is looked for in messages,
    label, groups and `extra`.
    """

    source: str | None = None
    row: str | None = None
    pattern: str | None = None


@dataclass
class Found:
    """What a store holds of the rows: ids, and the versions and snapshots that hold one of them."""

    wanted: Wanted
    ids: frozenset[str]
    spared: Mapping[str, set[str]]
    """For each place the ids whose record says something else there: it was corrected, and a text was meant."""
    prints: set[bytes] = field(default_factory=set)
    """Fingerprints of all that the rows say."""
    versions: dict[str, dict[str, int]] = field(default_factory=dict)
    """For each version how many of the rows each of its shards has."""
    snapshots: set[str] = field(default_factory=set)
    """Snapshots that hold one of them, or cannot be read."""
    broken: set[str] = field(default_factory=set)
    """Versions that cannot be read whole, and so were not searched."""

    @cached_property
    def sorted(self) -> pa.StringArray:
        """The ids, sorted."""
        return pa.array(sorted(self.ids), pa.string())

    def mask(self, rows: pa.Table, place: str) -> pa.BooleanArray:
        """Say which of the rows of a place are meant."""
        named = pc.is_in(rows["id"].combine_chunks(), self.sorted)
        if not self.spared.get(place):
            return named
        spared = pa.array(sorted(self.spared[place]), pa.string())
        return pc.and_not(named, pc.is_in(rows["id"].combine_chunks(), spared))


def find(store: Store, wanted: Wanted) -> Found:
    """Look through versions, snapshots and dropped rows; raises `UserError` where nothing is meant, or more than one row."""
    _check(wanted)
    search = _Search(wanted)
    for place in everywhere(store):
        search.look(place)
    called = search.called
    if not called:
        what = next(f"{name} {value!r}" for name, value in vars(wanted).items() if value is not None)
        raise UserError(f"the store {store.root} holds no row of {what}; none was erased")
    spared: dict[str, set[str]] = {}
    several = corrected.among(store, called) if wanted.pattern is not None else set()
    if several:
        there = {place.name: _held(place, several) for place in search.places}
        spared = {
            name: descendants(ids, search.parents) - search.met[name]
            for name, ids in corrected.spared(store, there, search.met).items()
        }
    found = Found(wanted, frozenset(descendants(called, search.parents)), spared)
    for name in search.broken:
        kind, _, held = name.partition("/")
        if kind == "versions":
            found.broken.add(held)
        elif kind == "snapshots":
            found.snapshots.add(held)
    for place in search.places:
        _locate(place, found)
    return found


@dataclass
class _Search:
    """What was seen of the places that were looked through."""

    wanted: Wanted
    places: list[Place] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Places that cannot be read."""
    parents: dict[str, set[str]] = field(default_factory=dict)
    """The ids of what grew of each row."""
    met: dict[str, set[str]] = field(default_factory=dict)
    """For each place the ids of the rows that are meant there."""
    sources: set[str] = field(default_factory=set)

    def look(self, place: Place) -> None:
        """Look through a place, or note that it cannot be read; raises what keeps a store from being asked."""
        self.met[place.name] = set()
        try:
            for _, rows in place.tables(_COLUMNS):
                grown = rows.filter(rows["parent"].is_valid())
                for child, parent in zip(grown["id"].to_pylist(), grown["parent"].to_pylist(), strict=True):
                    self.parents.setdefault(parent, set()).add(child)
                self.sources.update(pc.unique(rows["source"]).drop_null().to_pylist())
                self.met[place.name].update(rows.filter(_meant(rows, self.wanted))["id"].to_pylist())
        except UnreachableError:
            raise
        except (OSError, pa.ArrowException, ValueError, KeyError):
            self.broken.add(place.name)
        else:
            self.places.append(place)

    @property
    def called(self) -> set[str]:
        """The rows that are meant, not yet what grew of them."""
        called = set().union(*self.met.values())
        if self.wanted.row is None:
            return called
        called = _one(called, self.wanted.row, self.sources)
        return called | _copies(self.places, called)


def _held(place: Place, ids: set[str]) -> set[str]:
    """Return those of some ids that a place holds."""
    named = pa.array(sorted(ids), pa.string())
    return {
        row_id
        for _, rows in place.tables(["id"])
        for row_id in rows.filter(pc.is_in(rows["id"], named))["id"].to_pylist()
    }


def _one(called: set[str], row: str, sources: set[str]) -> set[str]:
    """Return the row that is called so: a whole id goes before a key, and a key before the beginning of an id.

    Raises `UserError` where several are, and where what may be a mistyped key would take a row.
    """
    if row in called:
        return {row}
    keyed = called & {keyed_id(source, row) for source in sources}
    found = keyed or called
    if len(found) > 1:
        raise UserError(f"{len(found)} rows are called {row!r}; give a whole id")
    if found and not keyed and len(row) < _PREFIX:
        raise UserError(
            f"no row has the id or the key {row!r}; the beginning of an id needs {_PREFIX} digits"
        )
    return found


def _copies(places: Sequence[Place], ids: set[str]) -> set[str]:
    """Return the ids of all rows whose records are copies of those of some rows."""
    wanted = pa.array(sorted(map(record, ids)), pa.string())
    return {
        row_id
        for place in places
        for _, rows in place.tables(["id"])
        for row_id in rows["id"].filter(pc.is_in(records(rows["id"]), wanted)).to_pylist()
    }


def descendants(ids: set[str], parents: Mapping[str, set[str]]) -> set[str]:
    """Return ids and those of all that grew of them; `parents` has the children of each."""
    found: set[str] = set()
    waiting = list(ids)
    while waiting:
        row_id = waiting.pop()
        if row_id not in found:
            found.add(row_id)
            waiting += parents.get(row_id, ())
    return found


def _check(wanted: Wanted) -> None:
    if wanted.pattern is None:
        return
    try:
        pc.match_substring_regex(pa.array([""]), wanted.pattern)
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{wanted.pattern!r} is no regular expression: {' '.join(str(error).split())}"
        ) from error


def _meant(rows: pa.Table, wanted: Wanted) -> pa.Array | pa.ChunkedArray:
    if wanted.source is not None:
        return pc.equal(rows["source"], wanted.source)
    if wanted.row is not None:
        keyed = {keyed_id(source, wanted.row) for source in pc.unique(rows["source"]).drop_null().to_pylist()}
        return pc.or_(
            pc.starts_with(rows["id"], wanted.row), pc.is_in(rows["id"], pa.array(sorted(keyed), pa.string()))
        )
    assert wanted.pattern is not None
    groups = rows["groups"].combine_chunks()
    holders = pc.list_parent_indices(groups).filter(_says(groups.flatten().field("value"), wanted.pattern))
    met = pa.array(np.isin(np.arange(len(rows)), holders))
    for said in (text.contents(rows), rows["label"], rows["extra"]):
        met = pc.or_(met, _says(said, wanted.pattern))
    return met


def _says(said: pa.Array | pa.ChunkedArray, pattern: str) -> pa.Array:
    met = pc.match_substring_regex(said, pattern).fill_null(False)
    return met.combine_chunks() if isinstance(met, pa.ChunkedArray) else met


def _locate(place: Place, found: Found) -> None:
    """Find which of the rows lie in a place, and the fingerprints of what they say there."""
    kind, _, name = place.name.partition("/")
    for file, rows in place.tables(_COLUMNS):
        met = rows.filter(found.mask(rows, place.name))
        if not met.num_rows:
            continue
        found.prints.update(text.fingerprints(met).to_pylist())
        if kind == "versions":
            shards = found.versions.setdefault(name, {})
            shards[f"data/{file}"] = shards.get(f"data/{file}", 0) + met.num_rows
        elif kind == "snapshots":
            found.snapshots.add(name)
