"""What a run measured is kept for the blocks of the version that it published, so that the next run measures only what is new."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import measures
from corpus.segment import Passed, Segment, keep, memo_key, pass_over, remembered
from corpus.snapshot import Part
from corpus.stage import Context
from corpus.standing import Standing
from corpus.store import Store


def carry(
    store: Store,
    segment: Segment,
    contexts: Mapping[str, Context],
    seed: int,
    standing: Standing,
    last: Standing,
    parts: Sequence[Part],
) -> None:
    """Keep what the corpus judges of `segment` measured, block by block of a version (`parts`).

    `standing` is what the segment left and `last` what the run left. Rows that were grown or rewritten behind the
    segment are measured as they are now.
    """
    of_all = Segment(None, (), segment.corpus_judges)
    names = [stage.title for stage in of_all.corpus_judges]
    theirs, ends = _Rows(standing, names), _Rows(last, [])
    for part in parts:
        key = memo_key(part, of_all, contexts, seed)
        if remembered(store, part, key) is not None:
            continue
        ids = part.read(["id"])["id"].combine_chunks()
        prints, _ = ends.take(ids)
        found, there = theirs.take(ids)
        if found is None or prints is None:  # all of the block was grown behind the segment
            keep(store, key, pass_over(part.read(), of_all, contexts))
            continue
        same = there & pc.fill_null(pc.equal(found["fingerprint"], prints["fingerprint"]), False).to_numpy()
        if not same.all():
            rows = part.read().filter(pa.array(~same))
            fresh = pass_over(rows, of_all, contexts).features
            place = np.where(same, np.arange(len(ids)), len(ids) + np.cumsum(~same) - 1)
            found = pa.concat_tables([found, fresh.select(found.column_names)]).take(pa.array(place))
        keep(store, key, Passed(found))


class _Rows:
    """What a pass measured of the rows of a standing, found by id; parts are read as they are needed."""

    def __init__(self, standing: Standing, titles: Sequence[str]) -> None:
        self._standing = standing
        ids = standing.narrow["id"].combine_chunks()
        bounds = standing.bounds
        self._ids = [ids.slice(start, stop - start) for start, stop in pairwise(bounds)]
        self._ends = [pc.min_max(held) for held in self._ids]
        self._prefixes = tuple(f"{title}/" for title in titles)

    def take(self, ids: pa.StringArray) -> tuple[pa.Table | None, np.ndarray]:
        """Return the features (and fingerprints) of rows in the order of `ids` (None where there are none), and which there are."""
        lowest, highest = pc.min_max(ids).values()
        tables, at = [], np.full(len(ids), -1, np.int64)
        count = 0
        for part, held, ends in zip(self._standing.parts, self._ids, self._ends, strict=True):
            low, high = ends.values()
            if not low.is_valid or high.as_py() < lowest.as_py() or low.as_py() > highest.as_py():
                continue
            where = pc.index_in(held, ids)
            places = where.drop_null().to_numpy()
            if not len(places):
                continue
            columns = [
                name
                for name in measures.names(part.features)
                if name == "fingerprint" or name.startswith(self._prefixes)
            ]
            tables.append(measures.read(part.features, columns).filter(where.is_valid()))
            at[places] = np.arange(count, count + len(places))
            count += len(places)
        found = at >= 0
        if not tables:
            return None, found
        return pa.concat_tables(tables).take(pa.array(at, mask=~found)), found
