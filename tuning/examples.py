r"""Rows as tokens: what a model is trained on and judged by, and how rows are put into batches.

The row 'Thanks for the quick reply' of the class 'positive' (SmolLM2's tokens, shown as text):

    tokens        ['Thanks', ' for', ' the', ' quick', ' reply', '\n', 'Label', ':', ' positive', '<|im_end|>']
    completion    8: ' positive' and the end of the sequence bear the loss
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

IGNORED = -100
"""The label of a token that bears no loss, as in torch's cross-entropy."""


@dataclass(frozen=True)
class Examples:
    """Rows as tokens, flat: row i holds `tokens[begins[i]:begins[i + 1]]`.

    Its completion, the tokens that bear the loss, begins at position `completions[i]` within the row and
    ends with it. A row that bears no loss has its reason in `reasons`, and no tokens.
    """

    ids: Sequence[str]
    tokens: np.ndarray
    begins: np.ndarray
    completions: np.ndarray
    truncated: np.ndarray
    reasons: Sequence[str | None]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)

    @property
    def lengths(self) -> np.ndarray:
        """The tokens of each row."""
        return np.diff(self.begins)

    @property
    def supervised(self) -> np.ndarray:
        """The tokens of each row that bear the loss."""
        return np.asarray(self.lengths - self.completions)

    def row(self, position: int) -> np.ndarray:
        """Return the tokens of one row."""
        return self.tokens[self.begins[position] : self.begins[position + 1]]

    def prompt(self, position: int) -> np.ndarray:
        """Return the tokens of one row that stand before its completion."""
        return self.row(position)[: self.completions[position]]

    def supervising(self) -> "Examples":
        """Return the rows that bear a loss."""
        keep = np.array([reason is None for reason in self.reasons], dtype=bool)
        return Examples(
            ids=[row for row, kept in zip(self.ids, keep, strict=True) if kept],
            tokens=self.tokens,
            begins=np.concatenate([[0], self.begins[1:][keep]]),
            completions=self.completions[keep],
            truncated=self.truncated[keep],
            reasons=[None] * int(keep.sum()),
        )


def padded(rows: Sequence[np.ndarray], width: int, filler: int, height: int | None = None) -> np.ndarray:
    """Return the rows as an int64 matrix, each filled up at its right with `filler`, and rows of it below.

    A causal model needs no mask for what stands at the right: no token that counts can see it.
    """
    matrix = np.full((len(rows) if height is None else height, width), filler, dtype=np.int64)
    for position, row in enumerate(rows):
        matrix[position, : len(row)] = row
    return matrix


def fixed_batches(lengths: np.ndarray, rows: int, step: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (width, positions) of at most `rows` rows whose lengths, rounded up to `step`, are `width`.

    A caller that fills each batch up to `rows` rows gives the model nothing but matrices of fixed shapes, so
    that a row's answer does not depend on the rows that happen to stand beside it.
    """
    widths = -(-lengths // step) * step
    for width in np.unique(widths):
        positions = np.flatnonzero(widths == width)
        for start in range(0, len(positions), rows):
            yield int(width), positions[start : start + rows]


class LengthBatches:
    """Batches of rows alike in length, in an order that is drawn anew for each epoch from the seed alone.

    Rows are shuffled, cut into pools of 25 batches, sorted by length in each pool, cut into batches, and the
    batches shuffled: hardly any padding, and no order from short to long. (transformers' own sampler leaves
    each of its pools in the order from long to short.)
    """

    def __init__(self, lengths: np.ndarray, rows: int, seed: int) -> None:
        self.lengths = lengths
        self.rows = rows
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        pool = 25 * self.rows
        full, rest = divmod(len(self.lengths), pool)
        return full * 25 + -(-rest // self.rows)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next pass is; the Trainer calls it."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        generator = np.random.default_rng([self.seed, self.epoch])
        order = generator.permutation(len(self.lengths))
        batches: list[np.ndarray] = []
        for start in range(0, len(order), 25 * self.rows):
            pool = order[start : start + 25 * self.rows]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
            batches += [pool[at : at + self.rows] for at in range(0, len(pool), self.rows)]
        for batch in generator.permutation(len(batches)):
            yield batches[batch].tolist()


def collate(
    examples: Examples, positions: Sequence[int], filler: int, width: int | None = None
) -> dict[str, Any]:
    """Return the tensors `input_ids` and `labels` of a batch, IGNORED wherever no loss is borne.

    What bears a loss is told by position, never by the token: where a model's filler is also its end of
    sequence, masking by the token would unlearn the end.
    """
    import torch

    rows = [examples.row(position) for position in positions]
    tokens = padded(rows, max(map(len, rows)) if width is None else width, filler)
    labels = np.full_like(tokens, IGNORED)
    for at, position in enumerate(positions):
        borne = slice(examples.completions[position], len(rows[at]))
        labels[at, borne] = tokens[at, borne]
    return {"input_ids": torch.from_numpy(tokens), "labels": torch.from_numpy(labels)}
