r"""What judges said of rows that stay is put into them: the columns that they set, their marks, what they cut.

marks   'near_duplicates\nblocklist'                    the stages that marked the row, in order
cuts    [{'message': 0, 'start': 120, 'stop': 181}]     bytes of the UTF-8 of the row's messages
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from corpus.arrays import whole
from corpus.schema import MESSAGE

SET = ("label", "family", "split")
"""Columns that judges may set."""
MARKS, CUTS = "marks", "cuts"
CUT = pa.struct([("message", pa.int32()), ("start", pa.int64()), ("stop", pa.int64())])


def with_columns(rows: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    """Put columns in the place of those of the same name."""
    for name, column in columns.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return rows


def amended(rows: pa.Table, said: Mapping[str, pa.Array]) -> pa.Table:
    """Put what was said of whole rows into them; `said` is aligned with them."""
    rows = with_columns(rows, {name: said[name] for name in SET if name in said})
    if MARKS in said:
        rows = with_columns(rows, {"extra": _marked(rows["extra"], said[MARKS])})
    if CUTS in said:
        rows = with_columns(rows, {"messages": cut(rows["messages"], said[CUTS])})
    return rows


def _marked(extra: pa.ChunkedArray, marks: pa.Array) -> pa.Array:
    """Name the marks under the key `marks` of each row's extra columns, behind what stands there already."""
    marked = marks.is_valid()
    if not marked.true_count:
        return whole(extra)
    found = []
    for held, names in zip(extra.filter(marked).to_pylist(), marks.filter(marked).to_pylist(), strict=True):
        columns: dict[str, Any] = orjson.loads(held) if held is not None else {}
        before = columns.get(MARKS, [])
        before = before if isinstance(before, list) else [before]
        columns[MARKS] = [*before, *(name for name in names.split("\n") if name not in before)]
        found.append(orjson.dumps(columns, option=orjson.OPT_SORT_KEYS).decode())
    places = np.flatnonzero(marked.to_numpy(zero_copy_only=False))
    return _replaced(whole(extra), places, pa.array(found, pa.string()))


def cut(messages: pa.Array | pa.ChunkedArray, cuts: pa.Array) -> pa.Array:
    """Take spans out of the contents of messages; where the beginning or the end goes, white space goes with it."""
    lists = whole(messages)
    some = cuts.is_valid()
    if not some.true_count:
        return lists
    held = lists.filter(some).to_pylist()
    for turns, spans in zip(held, cuts.filter(some).to_pylist(), strict=True):
        for number, mine in groupby(spans, key=lambda span: span["message"]):
            turns[number]["content"] = _without(turns[number]["content"], list(mine))
    places = np.flatnonzero(some.to_numpy(zero_copy_only=False))
    return _replaced(lists, places, pa.array(held, pa.list_(MESSAGE)))


def _without(content: str, spans: Sequence[Mapping[str, int]]) -> str:
    raw, left, at = content.encode(), b"", 0
    for span in spans:
        left += raw[at : span["start"]]
        at = span["stop"]
        gone = raw[span["start"] : at]
        behind = gone[len(gone.rstrip()) :]
        if b"\n" in behind and left.strip() and not left.endswith(b"\n"):
            left = left.rstrip() + behind  # what stood in two paragraphs does not meet in one
    whole = (left + raw[at:]).decode()
    whole = whole.lstrip() if spans[0]["start"] == 0 else whole
    return whole.rstrip() if at == len(raw) else whole


def _replaced(values: pa.Array, places: np.ndarray, fresh: pa.Array) -> pa.Array:
    """Put `fresh` at `places`."""
    at = np.arange(len(values))
    at[places] = len(values) + np.arange(len(places))
    return pa.concat_arrays([values, fresh.cast(values.type)]).take(pa.array(at))
