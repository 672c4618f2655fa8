"""What a model will be asked, so that no training row gives it away: the texts of evaluation sets, by their runs of words.

Source(name="gsm8k", uri="file:gsm8k/test.jsonl", prompt="question", completion="answer")
->  texts ['Natalia sold clips to 48 of her friends ...', '48/2 = 24 ...'],  places ['gsm8k/test.jsonl:0', ...]
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import text
from corpus.arrays import whole
from corpus.fetch import fetch
from corpus.ingest import sha256
from corpus.models import Models
from corpus.schema import UserError, digest
from corpus.sources import File, Source, files_of, read

COMMON = 50
"""A run that more texts have is how they are asked, a template or a preamble, and tells none of them."""


@dataclass(frozen=True)
class EvaluationSet:
    """The messages of a source's rows but those of the system, each a text, and where each stands (`source/file:row`)."""

    rows: int
    texts: pa.StringArray
    places: pa.StringArray


def files(source: Source, models: Models) -> list[File]:
    """Return the files of an evaluation set."""
    return files_of(source, models.base, lambda uri: fetch(uri, models.base, models.cache).path)


def revision(source: Source, models: Models) -> str:
    """Return a digest of the files of an evaluation set, whatever they are called and wherever they lie."""
    return digest(*sorted(sha256(file) for file in files(source, models))).hex()


def revisions(sources: Sequence[Source], models: Models) -> tuple[str, ...]:
    """Return the digest of each evaluation set."""
    return tuple(revision(source, models) for source in sources)


def identity(sources: Sequence[Source], models: Models) -> list[dict[str, Any]]:
    """Return how each set is read, with its digest in the place of its location: what a version's id knows of it."""
    held = zip(sources, revisions(sources, models), strict=True)
    return [{**source.identity(), "digest": digest} for source, digest in held]


def check(sources: Sequence[Source], models: Models, size: int, least: int, *, words: bool = True) -> None:
    """Read the sets once, so that a bad one is told before anything heavy runs.

    Raises `UserError` where one has no row, or, where `words` are compared, no text of `least` words and more.
    """
    for source in sources:
        if not load(source, models).rows:
            raise UserError(f"evaluation set {source.name!r} has no row; name another file or leave it out")
        if words and not index((source,), models, size, least).runs.any():
            raise UserError(
                f"evaluation set {source.name!r} has no text of {least} words and more that is its own; lower min_words"
            )


def unlike(sources: Sequence[Source]) -> None:
    """Raise `UserError` where two evaluation sets are called the same."""
    names = [source.name for source in sources]
    if len({*names}) < len(names):
        raise UserError(f"two evaluation sets are called the same: {', '.join(sorted(names))}; rename one")


def load(source: Source, models: Models) -> EvaluationSet:
    """Read an evaluation set, once a process.

    Raises `UserError` where a record of it cannot be read: nobody could say that a row does not hold it.
    """
    return _load(source, models, revision(source, models))


@functools.lru_cache(maxsize=32)
def _load(source: Source, models: Models, _revision: str) -> EvaluationSet:
    texts, places, count = [pa.array([], pa.string())], [pa.array([], pa.string())], 0
    for stretch in read(source, files(source, models)):
        batch = stretch.batch()
        for line in batch.rejects.to_pylist():
            raise UserError(
                f"evaluation set {source.name!r}: {line['detail']} cannot be read ({line['reason']}); "
                "mend or remove the record, so that all of the set is compared"
            )
        rows = batch.rows
        count += rows.num_rows
        messages = whole(rows["messages"])
        number = whole(rows["row"]).cast(pa.string())
        place = pc.binary_join_element_wise(
            pc.binary_join_element_wise(whole(rows["source"]), whole(rows["file"]), "/"), number, ":"
        )
        holders = np.repeat(np.arange(rows.num_rows), pc.list_value_length(messages).to_numpy())
        asks = pc.not_equal(messages.flatten().field("role"), "system")
        texts.append(messages.flatten().field("content").filter(asks))
        places.append(place.take(pa.array(holders).filter(asks)))
    return EvaluationSet(count, pa.concat_arrays(texts), pa.concat_arrays(places))


@dataclass(frozen=True)
class Index:
    """The runs of words of evaluation texts: `keys` (ascending uint64), and of each the texts that have it, flat.

    A text of `size` words and more has all its runs of `size`; a shorter one of `least` words and more is one run.
    Runs that more than `COMMON` texts have are left out. `runs` is how many each text has, 0 where there is none (it is
    shorter, a copy of another, or all of its runs are common); `lengths` are the lengths of runs that there are.
    """

    keys: np.ndarray
    starts: np.ndarray
    texts: np.ndarray
    runs: np.ndarray
    lengths: tuple[int, ...]
    places: pa.StringArray

    def shares(self, texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each text the greatest share of an evaluation text's runs that it has, and which one's (-1: none's)."""
        row, of, part = self.met(texts)
        share, best = np.zeros(len(texts)), np.full(len(texts), -1)
        order = np.lexsort((of, -part, row))
        met, first = np.unique(row[order], return_index=True)
        best[met], share[met] = of[order][first], part[order][first]
        return share, best

    def met(self, texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return each text (its number) that shares runs with an evaluation text, which one, and the share of that one's runs.

        One run alone, of a text that has more, is a phrase and no share. Pairs are in the order of both numbers.
        """
        hashes, begins = text.word_hashes(texts, marks=False)
        met = [np.zeros((0, 2), np.int64)]
        for length in self.lengths:
            keys, row = runs(hashes, begins, length)
            at = np.searchsorted(self.keys, keys)
            hit = np.flatnonzero(self.keys[np.minimum(at, len(self.keys) - 1)] == keys)
            pairs = np.unique(np.stack([row[hit], at[hit]], axis=1), axis=0)
            counts = self.starts[pairs[:, 1] + 1] - self.starts[pairs[:, 1]]
            each = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            of = self.texts[np.repeat(self.starts[pairs[:, 1]], counts) + each]
            met.append(np.stack([np.repeat(pairs[:, 0], counts), of], axis=1))
        pairs, shared = np.unique(np.concatenate(met), axis=0, return_counts=True)
        enough = (shared > 1) | (self.runs[pairs[:, 1]] == 1)
        pairs, shared = pairs[enough], shared[enough]
        return pairs[:, 0], pairs[:, 1], shared / self.runs[pairs[:, 1]]


def runs(hashes: np.ndarray, begins: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys of all runs of `length` words (uint64), and the text of each."""
    from corpus import shingle_kernels

    keys, starts = shingle_kernels.grams(hashes, begins, length)
    return np.ascontiguousarray(keys[:, 0]), np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def _first(hashes: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Say which texts (bool) are the first of their words: of copies one is compared."""
    from corpus import shingle_kernels

    _, first = np.unique(shingle_kernels.sequence_keys(hashes, begins), axis=0, return_index=True)
    found = np.zeros(len(begins) - 1, bool)
    found[first] = True
    return found


def index(sources: Sequence[Source], models: Models, size: int, least: int) -> Index:
    """Index the texts of evaluation sets, once a process."""
    return _index(tuple(sources), models, revisions(sources, models), size, least)


@functools.lru_cache(maxsize=4)
def _index(
    sources: tuple[Source, ...], models: Models, _revisions: tuple[str, ...], size: int, least: int
) -> Index:
    held = [load(source, models) for source in sources]
    texts, places = (
        pa.concat_arrays(part) for part in zip(*((one.texts, one.places) for one in held), strict=True)
    )
    return index_of(texts, places, size, least)


def spans(begins: np.ndarray, size: int, least: int) -> np.ndarray:
    """Return of how many words the runs of each text are: `size`, all of a shorter one, 0 where it has fewer than `least`."""
    words = np.diff(begins)
    found: np.ndarray = np.where(words >= size, size, np.where(words >= least, words, 0))
    return found


def index_of(texts: pa.StringArray, places: pa.StringArray, size: int, least: int) -> Index:
    """Index texts by their runs of words; `places` says where each stands."""
    hashes, begins = text.word_hashes(texts, marks=False)
    span = spans(begins, size, least)
    first = _first(hashes, begins)
    span = np.where(first, span, 0)
    lengths = tuple(int(length) for length in np.unique(span) if length)
    found = [(np.zeros(0, np.uint64), np.zeros(0, np.int64))]
    for length in lengths:
        mine = span == length
        keys, of = runs(hashes, begins, length)
        found.append((keys[mine[of]], of[mine[of]]))
    keys, of = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((of, keys))
    keys, of = keys[order], of[order]
    fresh = np.r_[True, (keys[1:] != keys[:-1]) | (of[1:] != of[:-1])][: len(keys)]
    keys, of = keys[fresh], of[fresh]
    distinct, starts, often = np.unique(keys, return_index=True, return_counts=True)
    rare = np.repeat(often <= COMMON, often)
    keys, of = keys[rare], of[rare]
    distinct, starts = np.unique(keys, return_index=True)
    return Index(
        distinct,
        np.r_[starts, len(keys)],
        of,
        np.bincount(of, minlength=len(texts)),
        lengths,
        places,
    )
