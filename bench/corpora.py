"""Large corpora that are made: words drawn as in language (Zipf), so that they compress and share shingles as text does."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from corpus.schema import ROW, conform, digest

VOCABULARY = 50_000
LABELS = ("negative", "neutral", "positive")


def vocabulary() -> np.ndarray:
    """Return made words of two to eleven letters, the frequent ones shorter."""
    generator = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    weights = 1 / np.arange(1, 27)
    weights /= weights.sum()
    lengths = np.minimum(
        2 + np.log2(np.arange(1, VOCABULARY + 1)).astype(int) // 2 + generator.integers(0, 3, VOCABULARY), 11
    )
    return np.array(["".join(generator.choice(letters, length, p=weights)) for length in lengths], object)


def tables(rows: int, words: int = 120, *, seed: int = 1, part: int = 10_000) -> Iterator[pa.Table]:
    """Yield rows in id order: texts of about `words` words, a label, a split (80, 10, 10)."""
    known = vocabulary()
    for start in range(0, rows, part):
        generator = np.random.default_rng([seed, start])
        count = min(part, rows - start)
        sizes = generator.integers(words // 2, words + words // 2, count)
        drawn = known[(VOCABULARY ** generator.random(int(sizes.sum()))).astype(int) - 1]
        ends = np.cumsum(sizes)
        texts = [" ".join(drawn[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
        yield _rows(texts, start, rows, generator)


def _rows(texts: list[str], start: int, rows: int, generator: np.random.Generator) -> pa.Table:
    count = len(texts)
    high = (np.arange(start, start + count, dtype=np.uint64) * np.uint64(2**64 // rows)).tolist()
    ids = [f"{one:016x}{digest(text)[:8].hex()}" for one, text in zip(high, texts, strict=True)]
    content = pa.StructArray.from_arrays([pa.repeat("text", count), pa.array(texts)], ["role", "content"])
    return conform(
        {
            "id": pa.array(ids),
            "messages": pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32)), content),
            "label": pa.array(generator.choice(LABELS, count)),
            "source": pa.repeat("made", count),
            "file": pa.repeat("made.jsonl", count),
            "row": pa.array(generator.permutation(rows)[:count]),
            "groups": pa.array([[]] * count, ROW.field("groups").type),
            "split": pa.array(generator.choice(["train", "validation", "test"], count, p=[0.8, 0.1, 0.1])),
        }
    )
