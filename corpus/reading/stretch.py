"""A source in stretches: what one worker makes rows of, so that a giant file keeps every core busy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.reading.batch import Batch, Pile
from corpus.reading.columnar import Groups, Table
from corpus.reading.columns import Columns
from corpus.reading.files import File, Format, form_of
from corpus.reading.readers import How, Piece, pieces
from corpus.reading.record import Read, Records, Unreadable
from corpus.reading.streams import BLOCK
from corpus.reading.vectors import by_column


@dataclass(frozen=True)
class Stretch:
    """Pieces of a source's files that follow one another."""

    source: str
    columns: Columns
    how: How
    pieces: tuple[tuple[File, Piece], ...]

    @property
    def size(self) -> int:
        """Its bytes, about."""
        return sum(piece.size for _, piece in self.pieces)

    def batch(self) -> Batch:
        """Return the rows and the rejects, in the order of the files."""
        made = []
        pile = Pile(self.source, self.columns.key is not None)
        for file, piece in self._parts():
            whole = by_column(piece, file, self.source, self.columns) if isinstance(piece, Table) else None
            if whole is None:
                self._pile(pile, file, piece)
                continue
            if pile:
                made.append(pile.batch())
                pile = Pile(self.source, self.columns.key is not None)
            made.append(whole)
        if pile or not made:
            made.append(pile.batch())
        return Batch.of(made)

    def _parts(self) -> Iterator[tuple[File, Piece]]:
        for file, piece in self.pieces:
            yield from ((file, part) for part in (piece.parts() if isinstance(piece, Groups) else (piece,)))

    def _pile(self, pile: Pile, file: File, piece: Piece) -> None:
        for one in piece.reads(self.how.errors):
            if one.fields is None:
                pile.reject(file, one, one.reason or "", one.what)
                continue
            try:
                parts = self.columns.parts(one.fields)
            except Unreadable as bad:
                pile.reject(file, one, bad.reason, bad.what)
            else:
                pile.add(file, one, parts)


def stretches(
    source: str,
    columns: Columns,
    how: How,
    files: Sequence[File],
    declared: Format | None,
    size: int = BLOCK,
) -> Iterator[Stretch]:
    """Cut files into stretches of `size` bytes or a little more; small files share one."""
    held: list[tuple[File, Piece]] = []
    full = 0
    for file in files:
        for piece in _pieces(file, declared, how, size):
            held.append((file, piece))
            full += piece.size
            if full >= size:
                yield Stretch(source, columns, how, tuple(held))
                held, full = [], 0
    if held:
        yield Stretch(source, columns, how, tuple(held))


def _pieces(file: File, declared: Format | None, how: How, size: int) -> Iterator[Piece]:
    form = form_of(file.name, declared)
    if file.problem is not None or form is None:
        yield Records((Read(None, None, None, file.problem or "unknown_format", "not read"),), 0)
    else:
        yield from pieces(file, form, how, size)
