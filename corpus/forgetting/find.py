"""Which rows are meant, all that grew of them included, and where a store holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from corpus import text
from corpus.forgetting import corrected
from corpus.forgetting.places import Place, everywhere
from corpus.schema import UserError, keyed_id
from corpus.store import Store

_COLUMNS = ("id", "source", "parent", "messages")


@dataclass(frozen=True)
class Wanted:
    """Which rows are to be forgotten: those of a source, one (by id, unique prefix or key), or those that match.

    `pattern` is a regular expression in RE2's syntax, which no text can make slow.
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
    places = everywhere(store)
    parents: dict[str, set[str]] = {}
    met: dict[str, set[str]] = {}
    for place in places:
        met[place.name] = set()
        for _, rows in place.tables(_COLUMNS):
            grown = rows.filter(rows["parent"].is_valid())
            for child, parent in zip(grown["id"].to_pylist(), grown["parent"].to_pylist(), strict=True):
                parents.setdefault(parent, set()).add(child)
            met[place.name].update(rows.filter(_meant(rows, wanted))["id"].to_pylist())
    called = _one(set().union(*met.values()), wanted)
    if not called:
        what = next(f"{name} {value!r}" for name, value in vars(wanted).items() if value is not None)
        raise UserError(f"the store {store.root} holds no row of {what}; nothing was changed")
    spared: dict[str, set[str]] = {}
    several = corrected.among(store, called) if wanted.pattern is not None else set()
    if several:
        spared = corrected.spared(store, {place.name: _held(place, several) for place in places}, met)
        spared = {name: descendants(ids, parents) - met[name] for name, ids in spared.items()}
    found = Found(wanted, frozenset(descendants(called, parents)), spared)
    for place in places:
        _locate(place, found)
    return found


def _held(place: Place, ids: set[str]) -> set[str]:
    """Return those of some ids that a place holds."""
    named = pa.array(sorted(ids), pa.string())
    return {
        row_id
        for _, rows in place.tables(["id"])
        for row_id in rows.filter(pc.is_in(rows["id"], named))["id"].to_pylist()
    }


def _one(called: set[str], wanted: Wanted) -> set[str]:
    """Return the rows that are called so; raises `UserError` where one row was asked for and several are."""
    if wanted.row is None or (wanted.row not in called and len(called) < 2):
        return called
    if wanted.row not in called:
        raise UserError(f"{len(called)} rows are called {wanted.row!r}; give a whole id")
    return {wanted.row}


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


def _meant(rows: pa.Table, wanted: Wanted) -> pa.Array | pa.ChunkedArray:
    if wanted.source is not None:
        return pc.equal(rows["source"], wanted.source)
    if wanted.row is not None:
        sources = pc.unique(rows["source"]).drop_null().to_pylist()  # what was grown has none
        keyed = {keyed_id(source, wanted.row) for source in sources}
        return pc.or_(
            pc.starts_with(rows["id"], wanted.row), pc.is_in(rows["id"], pa.array(sorted(keyed), pa.string()))
        )
    assert wanted.pattern is not None
    try:
        met = pc.match_substring_regex(text.contents(rows), wanted.pattern)
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{wanted.pattern!r} is no regular expression: {' '.join(str(error).split())}"
        ) from error
    return met.fill_null(False)


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
