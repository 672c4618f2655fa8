"""Rows of a table, column by column: the same as record by record, where no value needs a look of its own."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.digests import blake2b
from corpus.reading.batch import Batch
from corpus.reading.columnar import Table
from corpus.reading.columns import Columns, Way
from corpus.reading.files import SPLIT_NAMES, File
from corpus.reading.json_columns import objects
from corpus.schema import GROUP, LEDGER, MESSAGE, conform

_LARGEST = 2**28
"""Bytes whose JSON, six times as long at worst, an Arrow array still holds."""
_TEXT = (pa.types.is_string, pa.types.is_large_string)
_WHOLE = (pa.types.is_integer,)
_NUMBER = (pa.types.is_integer, pa.types.is_floating)
_SAME_IN_JSON = (*_TEXT, *_NUMBER, pa.types.is_boolean, pa.types.is_null)
"""Types whose values canonical JSON writes as they are, but for numbers that are not finite."""


def by_column(piece: Table, file: File, source: str, columns: Columns) -> Batch | None:
    """Return the rows of a table; None where a value or a type must be looked at record by record."""
    held = {name: piece.rows.column(name) for name in piece.rows.schema.names}
    way = _way(held, columns)
    if way is None or not all(map(_plain, held.values())) or not _fit(held, columns):
        return None
    if piece.rows.nbytes > _LARGEST:
        return None
    count = piece.rows.num_rows
    rest = sorted(held.keys() - columns.taken[way])
    split = _split(held.get(columns.split), file, count)
    if split is None:
        return None
    rows = conform(
        {
            "messages": _messages([_text(held[name]) for name in way]),
            "source": pa.repeat(source, count),
            "groups": _groups(held, columns, count),
            "label": _text(held[columns.label]) if columns.label in held else pa.nulls(count, pa.string()),
            "confidence": _number(held.get(columns.confidence), count),
            "file": pa.repeat(file.name, count),
            "row": pa.array(np.arange(piece.row, piece.row + count)),
            "split": split,
            "extra": _extra({name: held[name] for name in rest}, count),
        }
    )
    written, _ = objects(held, count)
    keys = None if columns.key is None else _text(held[columns.key])
    lines = None if columns.key is None else pa.nulls(count, pa.int64())
    return Batch(rows, blake2b(written, told=True), keys, lines, LEDGER.empty_table())


def _way(held: Mapping[str, pa.Array], columns: Columns) -> Way | None:
    """Return the way in which every row is read, if there is one, and it is of strings."""
    for way in columns.ways:
        if held.keys() >= {*way}:
            sound = all(_is(held[name], _TEXT) and not held[name].null_count for name in way)
            return way if sound and way != columns.messages else None
    return None


def _fit(held: Mapping[str, pa.Array], columns: Columns) -> bool:
    """Say whether the columns that mean something hold what needs no check of its own."""
    key = columns.key
    return (
        all(
            name not in held or _is(held[name], (*_TEXT, *_WHOLE))
            for name in (columns.label, *columns.groups)
        )
        and (columns.confidence not in held or _is(held[columns.confidence], _NUMBER))
        and (key is None or (key in held and not held[key].null_count and _is(held[key], (*_TEXT, *_WHOLE))))
    )


def _is(values: pa.Array, kinds: tuple[Any, ...]) -> bool:
    return any(kind(values.type) for kind in kinds)


def _plain(values: pa.Array) -> bool:
    if pa.types.is_floating(values.type):
        return bool(pc.all(pc.is_finite(values.cast(pa.float64())), min_count=0).as_py())
    return _is(values, _SAME_IN_JSON) and not (_is(values, _TEXT) and not _is_unicode(values))


def _is_unicode(values: pa.Array) -> bool:
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _text(values: pa.Array) -> pa.StringArray:
    return values.cast(pa.string())


def _number(values: pa.Array | None, count: int) -> pa.Array:
    return pa.nulls(count, pa.float64()) if values is None else values.cast(pa.float64(), safe=False)


def _split(values: pa.Array | None, file: File, count: int) -> pa.Array | None:
    """Return the split of each row; None where a value is none."""
    own = pa.scalar(file.split, pa.string())
    if values is None or pa.types.is_null(values.type):
        return pa.repeat(own, count)
    if not _is(values, _TEXT):
        return None
    names = pa.array([*SPLIT_NAMES], pa.string())
    where = pc.index_in(_text(values), names, skip_nulls=True)
    if where.null_count > values.null_count:
        return None
    return pc.coalesce(pa.array([*SPLIT_NAMES.values()], pa.string()).take(where), own)


def _messages(texts: list[pa.StringArray]) -> pa.ListArray:
    count, width = len(texts[0]), len(texts)
    roles = ["text"] if width == 1 else ["user", "assistant"]
    turn = np.arange(count * width)
    content = (
        texts[0]
        if width == 1
        else pa.concat_arrays(texts).take(pa.array(turn % width * count + turn // width))
    )
    role = pa.array(roles, pa.string()).take(pa.array(turn % width))
    return pa.ListArray.from_arrays(
        pa.array(np.arange(0, count * width + 1, width, dtype=np.int32)),
        pa.StructArray.from_arrays([role, content], fields=list(MESSAGE)),
    )


def _groups(held: Mapping[str, pa.Array], columns: Columns, count: int) -> pa.ListArray:
    axes = [name for name in columns.groups if name in held]
    if not axes:
        return pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, np.int32)), pa.array([], GROUP))
    place = np.arange(count * len(axes))
    value = pa.concat_arrays([_text(held[name]) for name in axes]).take(
        pa.array(place % len(axes) * count + place // len(axes))
    )
    there = value.is_valid().to_numpy(zero_copy_only=False)
    axis = pa.array(axes, pa.string()).take(pa.array((place % len(axes))[there]))
    origin = pa.repeat("declared", int(there.sum()))
    ends = np.concatenate([[0], np.cumsum(there.reshape(count, len(axes)).sum(axis=1))]).astype(np.int32)
    groups = pa.StructArray.from_arrays([axis, value.drop_null(), origin], fields=list(GROUP))
    return pa.ListArray.from_arrays(pa.array(ends), groups)


def _extra(held: Mapping[str, pa.Array], count: int) -> pa.Array:
    written, some = objects(held, count)
    return pc.if_else(some, written.cast(pa.string()), None)
