"""Files to rows. What cannot be read becomes a reject; nothing is lost, nothing is executed.

Source(name="shop", uri="file:reviews.csv", text="body", label="rating", key="review_id", groups=("region",))
"""

import codecs
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from corpus.reading.batch import Batch
from corpus.reading.columns import Columns
from corpus.reading.files import File, Format, find, form_of
from corpus.reading.prose import Unit
from corpus.reading.readers import How, columns_of
from corpus.reading.streams import BLOCK, Errors
from corpus.reading.stretch import Stretch, stretches
from corpus.schema import UserError

__all__ = ["Batch", "File", "Source", "files_of", "read"]

_KEY = "id"
"""The column that is the key where no knob names one."""


class Source(BaseModel):
    """Where rows come from, and which of its columns is what.

    Of the columns that no knob names, `id` is the key (where every file has it), `text`, `messages`, `label`,
    `confidence`, `split`, `prompt` and `completion` are what they say, and all others go to `extra`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        pattern=r"^[A-Za-z0-9_-]+$", description="what the source is called in rows, ids and reports"
    )
    uri: Annotated[str, Field(min_length=1)] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="where its files are: a path, a folder or a glob, `pypi://`, `hf://`, `https://` and the like"
    )
    format: Format | None = Field(None, description="how its files are read; from their names where absent")
    text: str | None = Field(None, description="column of the text")
    messages: str | None = Field(
        None, description="column of a chat: a list of objects with a role and a content"
    )
    prompt: str | None = Field(None, description="column of what the user says; goes with `completion`")
    completion: str | None = Field(
        None, description="column of what the assistant answers; goes with `prompt`"
    )
    label: str | None = Field(None, description="column of the class; numbers become their JSON text")
    confidence: str | None = Field(None, description="column of the annotators' agreement, a finite number")
    split: str | None = Field(
        None, description="column of the split: train, validation (valid, val, dev) or test"
    )
    key: str | None = Field(None, description="column that tells records apart, never null")
    groups: tuple[str, ...] = Field((), description="columns that say which group a row is of, to audit by")
    encoding: str = Field(
        "utf-8", description="of text files; a byte order mark wins over UTF-8 and its like"
    )
    encoding_errors: Errors = Field(
        "reject", description="a row with undecodable bytes: reject, or U+FFFD in their place"
    )
    delimiter: str | None = Field(
        None,
        description="what parts the cells of CSV and TSV, one character; a comma in .csv and a tab in .tsv where absent",
    )
    licence: str | None = Field(
        None, description="under what terms the rows may be used; printed on the cards"
    )
    unit: Unit = Field("document", description="what one row is of a plain text")

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        try:
            "a".encode(encoding)
        except LookupError as error:
            raise ValueError(
                f"needed an encoding that Python knows, such as utf-8 or cp1252, not {encoding!r}"
            ) from error
        return codecs.lookup(encoding).name

    @field_validator("delimiter")
    @classmethod
    def _parting(cls, delimiter: str | None) -> str | None:
        if delimiter is None or delimiter == "\t":
            return delimiter
        if len(delimiter) != 1 or not delimiter.isprintable() or delimiter == '"':
            raise ValueError(f"needed one printable character or a tab, and no quote, not {delimiter!r}")
        return delimiter

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.prompt is None) != (self.completion is None):
            raise ValueError(
                "needed `prompt` and `completion` together, but one is absent: name both columns"
            )
        ways = [knob for knob in ("text", "messages", "prompt") if getattr(self, knob) is not None]
        if len(ways) > 1:
            raise ValueError(
                f"needed one of `text`, `messages` and `prompt`, but {' and '.join(ways)} came: keep one"
            )
        return self

    def identity(self) -> dict[str, Any]:
        """Return the name and the reading knobs, no locations: what the version id knows of a source."""
        return self.model_dump(mode="json", exclude={"uri", "licence"})

    @property
    def uris(self) -> tuple[str, ...]:
        """All its locations."""
        return (self.uri,) if isinstance(self.uri, str) else self.uri

    @property
    def how(self) -> How:
        """How its files are read."""
        return How(self.encoding, self.encoding_errors, self.unit, self.delimiter)

    @property
    def named(self) -> Mapping[str, str]:
        """The knob that names each column."""
        knobs = ("text", "messages", "prompt", "completion", "label", "confidence", "split", "key")
        columns = {column: knob for knob in knobs if (column := getattr(self, knob)) is not None}
        return {**dict.fromkeys(self.groups, "groups"), **columns}

    def columns(self, keyed: bool) -> Columns:
        """Return the column of each part of a row; `keyed` says whether one without a knob is the key."""
        chosen = any(knob is not None for knob in (self.text, self.messages, self.prompt))
        turns = (
            (self.prompt, self.completion) if self.prompt is not None and self.completion is not None else ()
        )
        return Columns(
            text=() if chosen and self.text is None else (self.text or "text",),
            messages=() if chosen and self.messages is None else (self.messages or "messages",),
            turns=turns if chosen else ("prompt", "completion"),
            label=self.label or "label",
            confidence=self.confidence or "confidence",
            split=self.split or "split",
            key=self.key if self.key is not None else (_KEY if keyed else None),
            groups=self.groups,
        )


def files_of(source: Source, base: Path, fetch: Callable[[str], Path]) -> list[File]:
    """Return the files of a source, sorted by name; paths are relative to `base`, other URIs are for `fetch`.

    In a folder each file is read by its own format, and one that cannot be read has a `problem`. Raises
    `UserError` where a URI matches nothing or no file has a known format.
    """
    try:
        return find(source.uris, base, fetch, source.format)
    except UserError as error:
        raise UserError(f"source {source.name!r}: {error}") from error


def read(
    source: Source, files: Sequence[File], *, skip: frozenset[str] = frozenset(), size: int = BLOCK
) -> Iterator[Stretch]:
    """Cut `files` into stretches of about `size` bytes, over the files' borders; `batch()` of each are its rows.

    Files whose names are in `skip` have a say in what the columns mean, and are not read.

    A record's digest depends on its fields alone: not on format, file, order or batch. Raises `UserError`,
    before the first stretch, for a file that lacks a column that a knob names, or a column of text.
    """
    columns = source.columns(keyed=_checked(source, files))
    yield from stretches(
        source.name,
        columns,
        source.how,
        [file for file in files if file.name not in skip],
        source.format,
        size,
    )


def _checked(source: Source, files: Sequence[File]) -> bool:
    """Raise `UserError` for a file without the columns that are needed; return whether every file has a key."""
    columns = source.columns(keyed=True)
    needs = [columns.ways, *([(column,)] for column in {*source.named, _KEY})]
    keyed = []
    for file in files:
        form = form_of(file.name, source.format)
        if file.problem is None and form is not None:
            seen = columns_of(file, form, source.how, needs)
            if seen is not None:
                columns.check(source.named, seen, f"{file.name!r} of source {source.name!r}")
                keyed.append(columns.key in seen)
    return bool(keyed) and all(keyed)
