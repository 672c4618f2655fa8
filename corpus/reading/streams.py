"""A file's bytes as UTF-8: unpacked, without a byte order mark, in lines of bounded length."""

import codecs
import gzip
import io
import itertools
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import zstandard

from corpus.reading.record import Unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Errors = Literal["reject", "replace"]
Packing = Literal["gz", "zst"]

LINE_LIMIT = 64 * 2**20
PIECE = 256 * 2**10
BLOCK = 8 * 2**20
ZSTD_PIECE = 4 * 2**10
"""Four bytes of a zstd frame can stand for a block of 128 KiB, so this piece unpacks to 128 MiB at the worst."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@contextmanager
def opened(path: Path, packing: Packing | None, encoding: str, errors: Errors) -> Iterator[BinaryIO]:
    """Open `path` as a stream of UTF-8; a byte order mark wins over any `encoding` of the UTF family.

    Bytes that `encoding` does not know become U+FFFD with `errors` replace; else they stay invalid UTF-8,
    for whoever decodes the line to find. Reading raises `Unreadable` (`truncated`, `bad_encoding`) where the
    rest of the stream is lost; all that came before has then been handed out.
    """
    with path.open("rb") as raw:
        unpacked = {None: _whole, "gz": _gunzipped, "zst": _unzstandard}[packing](raw)
        yield io.BufferedReader(_Joined(_as_utf8(unpacked, encoding, errors)), PIECE)


def lines(stream: BinaryIO, limit: int = LINE_LIMIT, *, first: int = 1) -> Iterator[tuple[int, bytes | None]]:
    r"""Yield each line, ended by `\n` alone, with its number from `first`; None for one of more than `limit` bytes."""
    number = first - 1
    try:
        while line := stream.readline(limit + 1):
            number += 1
            if len(line) <= limit:
                yield number, line
                continue
            while line and not line.endswith(b"\n"):
                line = stream.readline(limit)
            yield number, None
    except Unreadable as broken:
        raise Unreadable(broken.reason, broken.what, number + 1) from broken


def blocks(
    stream: BinaryIO, size: int = BLOCK, limit: int = LINE_LIMIT
) -> Iterator[tuple[int, bytes | None]]:
    """Yield whole lines, `size` bytes or a little more at a time, with the number of the first from 1.

    A line of more than `limit` bytes may come as None, alone; else it is for whoever takes the lines apart to see.
    """
    number, held, whole = 1, bytearray(), 0
    try:
        while piece := stream.read1(min(PIECE, size)):  # type: ignore[attr-defined]  # a BufferedReader
            end = piece.rfind(b"\n") + 1
            whole = len(held) + end if end else whole
            held += piece
            if whole >= size or (whole and len(held) - whole > limit):
                yield number, bytes(held[:whole])
                number += held.count(b"\n", 0, whole)
                del held[:whole]
                whole = 0
            elif not whole and len(held) > limit:
                yield number, None
                number += 1
                held = _behind_line(stream)
                whole = held.rfind(b"\n") + 1
    except Unreadable as broken:
        if whole:
            yield number, bytes(held[:whole])
            number += held.count(b"\n", 0, whole)
        raise Unreadable(broken.reason, broken.what, number) from broken
    if held:
        yield number, bytes(held)


def _behind_line(stream: BinaryIO) -> bytearray:
    """Read past the end of a line; return what was read of the next."""
    while piece := stream.read1(PIECE):  # type: ignore[attr-defined]  # a BufferedReader
        end = piece.find(b"\n") + 1
        if end:
            return bytearray(piece[end:])
    return bytearray()


def decoded(raw: bytes, errors: Errors) -> str:
    """Decode UTF-8; undecodable bytes become U+FFFD, or raise `Unreadable` that says where they stand."""
    try:
        return raw.decode(errors="replace" if errors == "replace" else "strict")
    except UnicodeDecodeError as error:
        bad = raw[error.start : error.start + 4].hex(" ")
        raise Unreadable("bad_encoding", f"undecodable bytes at {error.start}: {bad}") from error


class _Joined(io.RawIOBase):
    """Pieces of bytes as one stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        room = memoryview(buffer)
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _whole(raw: BinaryIO) -> Iterator[bytes]:
    while piece := raw.read(PIECE):
        yield piece


def _gunzipped(raw: BinaryIO) -> Iterator[bytes]:
    unpacked = gzip.GzipFile(fileobj=raw)
    try:
        while piece := unpacked.read1(PIECE):
            yield piece
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unreadable("truncated", f"gzip: {error}") from error


def _unzstandard(raw: BinaryIO) -> Iterator[bytes]:
    # zstandard's own stream_reader takes a cut frame for the end of the file, so frames are counted here.
    frame = None
    while piece := raw.read(ZSTD_PIECE):
        while piece:
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            try:
                yield frame.decompress(piece)
            except zstandard.ZstdError as error:
                raise Unreadable("truncated", f"zstd: {error}") from error
            piece = frame.unused_data
            frame = None if frame.eof else frame
    if frame is not None:
        raise Unreadable("truncated", "zstd: the last frame is cut short")


def _as_utf8(pieces: Iterator[bytes], encoding: str, errors: Errors) -> Iterator[bytes]:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= len(codecs.BOM_UTF32_LE):
            break
    name = codecs.lookup(encoding).name
    for mark, declared in _MARKS:
        if name.startswith("utf") and head.startswith(mark):
            name, head = declared, head[len(mark) :]
            break
    rest = itertools.chain([head], pieces)
    yield from rest if name in ("utf-8", "utf-8-sig") else _recoded(rest, name, errors)


def _recoded(pieces: Iterator[bytes], encoding: str, errors: Errors) -> Iterator[bytes]:
    """Bytes that `encoding` does not know pass as lone surrogates, which are invalid in UTF-8 too."""
    wide = encoding.startswith(("utf-16", "utf-32"))
    kept = "surrogatepass" if wide else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)("replace" if errors == "replace" else kept)
    try:
        for piece in pieces:
            yield decoder.decode(piece).encode(errors="surrogatepass")
        yield decoder.decode(b"", final=True).encode(errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise Unreadable("bad_encoding", f"{encoding}: {error.reason}") from error
