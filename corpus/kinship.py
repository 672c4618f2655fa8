"""Kin share a family: rows that stages linked, and what the version that is built on knew already."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.arrays import whole
from corpus.standing import Standing
from corpus.text import halves


def _kinships(standing: Standing) -> pa.ChunkedArray:
    """Return the family of each row; an earlier one without kin is a family that new rows may have joined."""
    family = standing.narrow["family"]
    if not standing.earlier:
        return family
    own = pc.if_else(standing.narrow["earlier"], standing.narrow["id"], None)
    return pc.coalesce(family, own)


def forest(standing: Standing) -> np.ndarray:
    """Return a forest (parent of each row) in which rows of one family are united."""
    family = _kinships(standing)
    kin = np.arange(len(family))
    encoded = whole(family).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    known = np.flatnonzero(codes >= 0)
    first = np.full(len(encoded.dictionary), len(kin), np.int64)
    np.minimum.at(first, codes[known], known)
    kin[known] = first[codes[known]]
    return kin


def unite(kin: np.ndarray, spread: np.ndarray, family: pa.Array) -> None:
    """Unite each row with the row of its family that the verdict names; `kin` stays flat."""
    linked = np.flatnonzero(family.is_valid().to_numpy(zero_copy_only=False))
    one, two = spread[linked], spread[family.take(pa.array(linked)).to_numpy(zero_copy_only=False)]
    known = np.flatnonzero(kin != np.arange(len(kin)))
    some = one != two
    ends = np.concatenate([one[some], known]), np.concatenate([two[some], kin[known]])
    if not len(ends[0]):
        return
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes, place = np.unique(np.concatenate(ends), return_inverse=True)
    edges = place[: len(ends[0])], place[len(ends[0]) :]
    graph = coo_array((np.ones(len(edges[0]), np.int8), edges), shape=(len(nodes), len(nodes)))
    _, labels = connected_components(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    kin[nodes] = nodes[first[labels]]


def families(standing: Standing, kin: np.ndarray) -> pa.Array:
    """Name each family of two rows or more by its first row: one that stands, earlier ones first, least in fingerprint and id."""
    table = standing.narrow.select(["id", "fingerprint"])
    high, low = halves(table["fingerprint"])
    earlier = np.arange(len(kin)) < standing.earlier
    alone = np.bincount(kin, minlength=len(kin))[kin] < 2
    some = np.flatnonzero(~alone)
    first = (earlier & standing.stands)[some]
    order = some[np.lexsort((some, low[some], high[some], ~first, ~standing.stands[some]))]
    place = np.zeros(len(kin), np.int64)
    place[order] = np.arange(len(order))
    least = np.full(len(kin), len(order), np.int64)
    np.minimum.at(least, kin[some], place[some])
    new = some[~earlier[some]]  # the others keep theirs
    heads = order[least[kin[new]]]
    family, chosen = whole(standing.narrow["family"]), pa.array(heads)
    ids = whole(table["id"]).take(chosen)
    named = pc.if_else(  # a family of the version that is built on keeps its name
        pa.array(earlier[heads]), pc.coalesce(family.take(chosen), ids), ids
    )
    mask = np.zeros(len(kin), bool)
    mask[new] = True
    return pc.replace_with_mask(family, pa.array(mask), named)
