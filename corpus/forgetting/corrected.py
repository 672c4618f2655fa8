"""Under one key a source may have said several things: where it says what is meant, and where something else.

What one run read, dropped and published under a key is one record in several forms (a stage may have rewritten it):
where one form is meant all are. A version has the records that its run did not read from the version that it builds on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.forgetting.places import tellings
from corpus.schema import UserError
from corpus.store import Store
from corpus.versions.version import Version


def among(store: Store, ids: set[str]) -> set[str]:
    """Return those of some ids that had more than one record, as far as versions list them."""
    records: dict[str, set[bytes]] = {}
    for version in store.library.readable():
        for line in _lines(version, ids):
            records.setdefault(line["id"], set()).add(line["record"])
    return {row_id for row_id, held in records.items() if len(held) > 1}


def _lines(version: Version, ids: set[str]) -> list[dict[str, Any]]:
    """Return what a version lists of the records of some ids, the oldest first: `id`, `record`, `layer`.

    Nothing where that list is broken: a row is then meant whatever its record says.
    """
    try:
        records = version.records
    except UserError:
        return []
    return list(records.filter(pc.is_in(records["id"], pa.array(sorted(ids), pa.string()))).to_pylist())


def _layers(version: Version) -> int:
    """Count the layers of its records."""
    try:
        return len(version.record_layers)
    except UserError:
        return 0


def spared(store: Store, there: Mapping[str, set[str]], met: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return for each place the ids whose record says something else there.

    `there` are the ids in question that each place holds, and `met` those that it says what is meant of.
    """
    meant = {name: ids & met[name] for name, ids in there.items()}
    told = [[place for place in telling if place in there] for telling in tellings(store)]
    grew = True
    while grew:  # runs that share a snapshot tell of one record
        grew = any(_spread(places, there, meant) for places in told)
    readable = _readable(store)
    for later in sorted(readable.values(), key=lambda version: len(_line(version, readable))):
        base = readable.get(str(later.builds_on))
        if base is None or not {base.where, later.where} <= {*meant}:
            continue
        stayed = there[later.where] & meant[base.where]
        known = _layers(base)
        came = {line["id"] for line in _lines(later, stayed) if line["layer"] >= known}
        meant[later.where] |= stayed - came
    return {name: ids - meant[name] for name, ids in there.items()}


def _spread(places: Sequence[str], there: Mapping[str, set[str]], meant: Mapping[str, set[str]]) -> bool:
    """Mean in all places of a run what is meant in one of them, if the run read it; say whether that was news."""
    read = {row_id for place in places if not place.startswith("versions/") for row_id in there[place]}
    said = read & {row_id for place in places for row_id in meant[place]}
    news = False
    for place in places:
        more = said & there[place] - meant[place]
        meant[place].update(more)
        news |= bool(more)
    return news


def barred(store: Store, ids: frozenset[str], said: Mapping[str, set[str]]) -> tuple[set[str], set[bytes]]:
    """Return which ids, and which records by their digests, are to be taken in no more.

    An id whose record says something else in a version that a name means stays open to it and to what comes: its
    other records are barred, but for those known to say something else. `said` is what `spared` returned.
    """
    readable = _readable(store)
    named = {store.library.names.last(name).version for name in store.library.names.all()}
    open_ids = {row_id for version in named & {*readable} for row_id in said.get(f"versions/{version}", ())}
    records: set[bytes] = set()
    for version in readable.values() if open_ids else ():
        newest_first = reversed(_line(version, readable))
        made = {_layers(one) - 1: one for one in newest_first}  # the oldest that has a layer made it
        lines = _lines(version, open_ids)
        holder = {line["id"]: line["record"] for line in lines}
        for line in lines:
            row_id, record = line["id"], line["record"]
            when = version if record == holder[row_id] else made.get(line["layer"])
            if when is None or row_id not in said.get(when.where, ()):
                records.add(record)
    return {*ids} - open_ids, records


def _readable(store: Store) -> dict[str, Version]:
    return {version.id: version for version in store.library.readable()}


def _line(version: Version, readable: Mapping[str, Version]) -> list[Version]:
    """Return a version and those it builds on, the oldest first, as far as they can be read."""
    line = [version]
    while (base := readable.get(str(line[-1].builds_on))) is not None:
        line.append(base)
    return line[::-1]
