"""What one version has that another has not: row by row, by id."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import lexicon, text
from corpus.schema import ROW, SPLITS, UserError, digest
from corpus.versions.shards import by_split
from corpus.versions.version import Version

SAMPLES = 5
MENTIONS = 20_000
"""Rows of each side whose texts are searched for mentions; of more, those of least keyed hash of their id."""

_THREADS = 2
"""Blocks that are looked at together: decoding and counting words leave the interpreter free, hashing does not."""

_NARROW = ("id", "label", "source", "split")
_BESIDE = ("confidence", "parent", "operation", "family", "extra")


@dataclass(frozen=True)
class _Side:
    """The rows of one version that the other may not have, narrow; `shared` counts those in blocks of both."""

    version: Version
    rows: pa.Table
    shared: int
    places: list[tuple[str, int]]
    """The shard and the block that the rows with this number in the column `block` lie in."""


def diff(a: Version, b: Version, axes: lexicon.Lexicon | None = None) -> dict[str, Any]:
    """Compare version `b` with the earlier `a`.

    Rows are told apart by id. `added` and `removed` stand in one alone, `changed` say something else (text,
    label, or what stands beside them) under the same id, `moved` lie in another split: a row may be both.
    Tokens are words as `corpus.text` counts them. Blocks that both versions hold are not read. Counts `by`
    source, label, declared group and, with `axes`, mention; why rows came and went, from the ledgers of the
    two; the knobs that differ; some rows of each kind.
    """
    shared = _blocks(a) & _blocks(b)
    old, new = _side(a, shared), _side(b, shared)
    place = pc.index_in(new.rows["id"], old.rows["id"].combine_chunks())
    both = place.is_valid().to_numpy(zero_copy_only=False)
    kept = np.flatnonzero(both)
    earlier = place.drop_null().to_numpy()
    added = np.flatnonzero(~both)
    removed = np.flatnonzero(~np.isin(np.arange(old.rows.num_rows), earlier))
    was, now = old.rows.take(pa.array(earlier)), new.rows.take(pa.array(kept))
    parts = {name: ~_same(was[name], now[name]) for name in ("text", "label", "beside")}
    changed = np.flatnonzero(np.logical_or.reduce(list(parts.values())))
    moved = np.flatnonzero(~_same(was["split"], now["split"]))
    same = old.shared + len(kept) - len(np.union1d(changed, moved))
    gone, come = old.rows.take(pa.array(removed)), new.rows.take(pa.array(added))
    chosen = {
        "added": _draw(come["id"]),
        "removed": _draw(gone["id"]),
        "changed": _draw(now["id"].take(pa.array(changed))),
        "moved": _draw(now["id"].take(pa.array(moved))),
    }
    return {
        "a": a.id,
        "b": b.id,
        "rows": {"a": _rows(a), "b": _rows(b), "same": same},
        "added": _counted(come),
        "removed": _counted(gone),
        "changed": {
            "rows": len(changed),
            "tokens": {"a": _words(was.take(pa.array(changed))), "b": _words(now.take(pa.array(changed)))},
            "what": {name: int(differs.sum()) for name, differs in parts.items() if differs.any()},
        },
        "moved": {
            "rows": len(moved),
            "tokens": _words(now.take(pa.array(moved))),
            "ways": _ways(was["split"].take(pa.array(moved)), now["split"].take(pa.array(moved))),
        },
        "splits": {
            split: {
                "a": a.manifest["splits"][split]["rows"],
                "b": b.manifest["splits"][split]["rows"],
                "added": int(pc.sum(pc.equal(come["split"], split)).as_py() or 0),
                "removed": int(pc.sum(pc.equal(gone["split"], split)).as_py() or 0),
            }
            for split in SPLITS
        },
        "by": [*_by(come, gone), *_groups(old, gone, new, come), *_mentions(old, gone, new, come, axes)],
        "why": {"added": _why(a, come), "removed": _why(b, gone)},
        "recipe": list(knobs(a.manifest["recipe"], b.manifest["recipe"])),
        "samples": {
            kind: _shown(
                old if kind == "removed" else new, ids, old if kind in ("changed", "moved") else None
            )
            for kind, ids in chosen.items()
        },
    }


def _blocks(version: Version) -> set[tuple[str, str]]:
    return {
        (split, block["content"])
        for split, held in version.manifest["splits"].items()
        for block in held["blocks"]
    }


def _rows(version: Version) -> int:
    return sum(int(held["rows"]) for held in version.manifest["splits"].values())


def _side(version: Version, shared: set[tuple[str, str]]) -> _Side:
    blocks: list[tuple[str, int]] = []
    skipped = 0
    for split, shards in by_split(version.shards).items():
        for shard in shards:
            for number, block in enumerate(shard.blocks):
                if (split, block.content) in shared:
                    skipped += block.rows
                else:
                    blocks.append((shard.file, number))

    def narrow(at: int) -> pa.Table:
        name, number = blocks[at]
        with pq.ParquetFile(version.shelf.local(f"{version.where}/{name}")) as file:
            return _narrow(file.read_row_group(number), at)

    with ThreadPoolExecutor(_THREADS) as pool:
        tables = [_narrow(ROW.empty_table(), 0), *pool.map(narrow, range(len(blocks)))]
    return _Side(version, pa.concat_tables(tables).combine_chunks(), skipped, blocks)


def _narrow(rows: pa.Table, block: int) -> pa.Table:
    """Return what is compared of a block: digests of the text and of what stands beside it, and its words."""
    return pa.table(
        {
            **{name: rows[name] for name in _NARROW},
            "text": text.fingerprints(rows),
            "beside": _prints(rows),
            "words": text.count_words(rows),
            "block": pa.repeat(pa.scalar(block, pa.int32()), rows.num_rows),
        }
    )


def _prints(rows: pa.Table) -> pa.Array:
    """Return a digest of the columns beside text, label and split, for each row."""
    columns = [pc.fill_null(rows[name].cast(pa.string()), "\0").combine_chunks() for name in _BESIDE]
    joined = pc.binary_join_element_wise(*columns, _listed(rows), "\x1f").dictionary_encode()
    return pa.array([digest(one) for one in joined.dictionary.to_pylist()], pa.binary(16)).take(
        joined.indices
    )


def _listed(rows: pa.Table) -> pa.Array:
    """Return the declared groups of each row as one text."""
    groups = rows["groups"].combine_chunks().fill_null([])
    if not len(groups.flatten()):
        return pa.repeat("", len(groups))
    flat = [pc.fill_null(child, "\0") for child in groups.flatten().flatten()]
    ends = np.cumsum(np.r_[0, pc.list_value_length(groups).to_numpy(zero_copy_only=False)]).astype(np.int32)
    texts = pa.ListArray.from_arrays(pa.array(ends), pc.binary_join_element_wise(*flat, "\x1d"))
    return pc.binary_join(texts, "\x1e")


def _same(one: pa.ChunkedArray, two: pa.ChunkedArray) -> np.ndarray:
    equal = pc.fill_null(pc.equal(one, two), False)
    nulls = pc.and_(pc.is_null(one), pc.is_null(two))
    same: np.ndarray = pc.or_(equal, nulls).to_numpy()
    return same


def _words(rows: pa.Table) -> int:
    return int(pc.sum(rows["words"]).as_py() or 0)


def _counted(rows: pa.Table) -> dict[str, int]:
    return {"rows": rows.num_rows, "tokens": _words(rows)}


def _ways(before: pa.ChunkedArray, after: pa.ChunkedArray) -> list[dict[str, Any]]:
    counts = Counter(zip(before.to_pylist(), after.to_pylist(), strict=True))
    return [{"from": one, "to": two, "rows": rows} for (one, two), rows in sorted(counts.items())]


def _by(come: pa.Table, gone: pa.Table) -> list[dict[str, Any]]:
    """Count what came and went by source and label."""
    found = []
    for axis in ("source", "label"):
        plus, minus = (
            {one["values"]: one["counts"] for one in pc.value_counts(rows[axis]).to_pylist()}
            for rows in (come, gone)
        )
        found += [
            {"axis": axis, "value": value, "added": plus.get(value, 0), "removed": minus.get(value, 0)}
            for value in sorted({*plus, *minus}, key=str)
        ]
    return found


def _groups(old: _Side, gone: pa.Table, new: _Side, come: pa.Table) -> list[dict[str, Any]]:
    """Count what came and went by the groups that sources declare; a row may be of several."""
    plus, minus = (
        Counter(
            (group["axis"], group["value"])
            for rows in _whole(side, table, ["groups"])
            for groups in rows["groups"].to_pylist()
            for group in groups or ()
        )
        for side, table in ((new, come), (old, gone))
    )
    return [
        {"axis": axis, "value": value, "added": plus[axis, value], "removed": minus[axis, value]}
        for axis, value in sorted({*plus, *minus}, key=str)
    ]


def _mentions(
    old: _Side, gone: pa.Table, new: _Side, come: pa.Table, axes: lexicon.Lexicon | None
) -> list[dict[str, Any]]:
    """Count what came and went by mention, in all rows or in a sample of each side, whose size `of` tells."""
    if axes is None:
        return []
    counts: list[Counter[str]] = []
    sizes = []
    for side, table in ((new, come), (old, gone)):
        some = table.filter(pc.is_in(table["id"], pa.array(_draw(table["id"], MENTIONS), pa.string())))
        found: Counter[str] = Counter()
        for rows in _whole(side, some, ["messages"]):
            told = axes.mentions(text.contents(rows))
            found.update({name: int(pc.sum(told[name]).as_py() or 0) for name in told.column_names})
        counts.append(found)
        sizes.append(some.num_rows)
    plus, minus = counts
    return [
        {
            "axis": name.split("=")[0],
            "value": name.split("=")[1],
            "added": plus[name],
            "removed": minus[name],
            "of": {"added": sizes[0], "removed": sizes[1]},
        }
        for name in axes.patterns
        if plus[name] or minus[name]
    ]


def _whole(side: _Side, narrow: pa.Table, columns: list[str]) -> Iterator[pa.Table]:
    """Yield columns of the rows of a narrow table, block by block."""
    for block in np.unique(narrow["block"].to_numpy()):
        name, number = side.places[int(block)]
        inside = narrow.filter(pc.equal(narrow["block"], int(block)))
        with pq.ParquetFile(side.version.shelf.local(f"{side.version.where}/{name}")) as file:
            rows = file.read_row_group(number, columns=["id", *columns])
        yield rows.filter(pc.is_in(rows["id"], inside["id"].combine_chunks()))


def _draw(ids: pa.ChunkedArray, count: int = SAMPLES) -> list[str]:
    """Return so many of the ids, those of least keyed hash: the same whatever else is among them."""
    named = ids.to_pylist()
    return named if len(named) <= count else sorted(named, key=lambda one: digest("diff", one))[:count]


def _shown(side: _Side, ids: list[str], before: _Side | None) -> list[dict[str, Any]]:
    """Return what rows say, and where they changed or moved what they said before."""
    if not ids:
        return []
    now, was = _said(side, ids), _said(before, ids) if before is not None else {}
    return [{"id": one, **now[one], **({"before": was[one]} if one in was else {})} for one in ids]


def _said(side: _Side, ids: list[str]) -> dict[str, dict[str, Any]]:
    wanted = side.rows.filter(pc.is_in(side.rows["id"], pa.array(ids)))
    return {
        row_id: {"split": split, "label": label, "text": said}
        for rows in _whole(side, wanted, ["messages", "label", "split"])
        for row_id, split, label, said in zip(
            rows["id"].to_pylist(),
            rows["split"].to_pylist(),
            rows["label"].to_pylist(),
            text.contents(rows).to_pylist(),
            strict=True,
        )
    }


def _why(version: Version, rows: pa.Table) -> list[dict[str, Any]]:
    """Say what the other version's ledgers have on rows that it lacks: the stage that dropped them, or nothing.

    Where it builds on others, the last ledger that tells of a row counts.
    """
    ids = rows["id"].combine_chunks()
    counts: Counter[tuple[str, str]] = Counter()
    told = False
    oldest, broken = version, False
    for one in version.lineage:
        oldest = one
        try:
            ledger = one.ledger
        except UserError:
            broken = True
            continue
        if ledger is None:
            continue
        told = True
        if not len(ids):
            break
        gone = ledger.filter(pc.not_equal(ledger["action"], "mark"))
        known = gone.filter(pc.is_in(gone["id"], ids))
        counts.update(zip(known["stage"].to_pylist(), known["reason"].to_pylist(), strict=True))
        ids = ids.filter(pc.invert(pc.is_in(ids, known["id"].combine_chunks())))
    found = [
        {"stage": stage, "reason": reason, "rows": count} for (stage, reason), count in counts.most_common()
    ]
    whole = oldest.builds_on is None and not broken
    why = "not among its records" if whole else "not told: a version that it builds on cannot be read"
    rest = [{"stage": None, "reason": why, "rows": len(ids)}] if len(ids) and told else []
    return found + rest


def knobs(a: Any, b: Any, where: str = "") -> Iterator[dict[str, Any]]:
    """Yield where two recipes differ; stages and sources are told apart by name."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in sorted({*a, *b}):
            yield from knobs(a.get(key), b.get(key), f"{where}.{key}" if where else str(key))
    elif isinstance(a, list) and isinstance(b, list) and all(isinstance(one, Mapping) for one in [*a, *b]):
        yield from knobs(_by_name(a), _by_name(b), where)
        one, two = [*_by_name(a)], [*_by_name(b)]
        if one != two and sorted(one) == sorted(two):
            yield {"knob": f"{where} in order", "a": one, "b": two}
    elif a != b:
        yield {"knob": where, "a": a, "b": b}


def _by_name(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        str(entry.get("name") or entry.get("stage") or number): entry for number, entry in enumerate(entries)
    }
