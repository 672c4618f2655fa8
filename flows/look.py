"""Looks at the user's own files: how they are read, which column is what, what is rejected and why."""

import glob
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from corpus import text
from corpus.reading.delimited import DELIMITERS
from corpus.reading.files import File, Form, find, form_of
from corpus.reading.readers import How, records
from corpus.reading.record import Read
from corpus.schema import UserError
from corpus.sources import Batch, Source, files_of, read
from flows.guess import facts_of, guess, unique
from flows.sniff import delimiter_of, encoding_of, head_of

_LOOKED_AT = 20_000
"""Records that the draft is made from, and whose rejects are told."""
_PEEKED_AT = 2_000
"""Records of the first file that columns are told apart by."""

_ENDINGS = (".jsonl", ".csv", ".tsv", ".parquet", ".arrow", ".txt", ".md")

_ID = "; without `key:` a column called `id` is the key, so rename it where it is none"
_WAYS_OUT = {
    "bad_encoding": "say with `encoding:` what the file is in (cp1252, latin-1), or take U+FFFD for such bytes with "
    "`encoding_errors: replace`",
    "bad_confidence": "name a column of numbers with `confidence:`",
    "bad_json": "write one JSON object a line",
    "bad_label": "name a column of single values with `label:`",
    "bad_messages": "write each chat as a list of objects with a role and a content",
    "bad_split": "name a column of train, validation and test with `split:`",
    "null_key": "name a column that is never empty with `key:`" + _ID,
    "open_quote": "a quote at the start of a cell opens a quoted one, whatever the delimiter: write it twice inside "
    "quotes, or take it out of the file",
    "ragged_row": "put cells that hold the delimiter into quotes, or say with `delimiter:` what it is",
    "repeated_key": "name a column that tells records apart with `key:`" + _ID,
    "text_missing": "name a column that is filled with `text:`, where there is one",
    "text_not_a_string": "name a column of strings with `text:`",
    "truncated": "fetch or write the file anew",
    "unknown_format": "give `uri:` only what is to be read",
}
"""What helps against a reason for which records are rejected."""
_NO_KEY = {"null_key", "repeated_key"}
"""Reasons for which a key is none."""


class Counted(NamedTuple):
    """What a source gives: its rows, why how many records are rejected, with an example, what may be its key."""

    records: int
    rows: int
    labelled: int
    median_words: float
    rejects: dict[str, tuple[int, str]]
    key: str | None


class Seen(NamedTuple):
    """What the user's files hold: the source that reads them, facts of its columns, what its first records give."""

    source: dict[str, Any]
    columns: dict[str, dict[str, Any]]
    counted: Counted
    notes: list[str]


class _Start(NamedTuple):
    """The first file that holds a record: how it is read, and its first records; none of plain text."""

    name: str
    knobs: dict[str, str]
    records: list[dict[str, Any]]
    notes: list[str]


def look(inputs: Sequence[str]) -> Seen:
    """Look at files, folders and globs; where the column `id` is no key, another one that is becomes the key.

    Raises `UserError`, which names the file, where nothing is a row.
    """
    paths = [_located(entry) for entry in inputs]
    start = _start(paths)
    facts = facts_of(start.records)
    knobs, notes = guess(start.name, facts)
    source = {"name": "data", "uri": paths, **start.knobs, **knobs}
    counted = _counted(source, unique(facts, set(knobs.values())))
    key = counted.key
    if key is not None and counted.rejects.keys() & _NO_KEY:
        source["key"] = key
        notes.append(f"key is {key!r}, since the column 'id' does not tell the records apart")
        counted = _counted(source, [])
    elif key is not None:
        lasting = f"add `key: {key}` to the source if it names a record for ever"
        notes.append(f"{key!r} looks like a key; {lasting}")
    among = f"{'the first ' if counted.records >= _LOOKED_AT else ''}{counted.records:,} records"
    rejects = [
        shown(f"rejected: {count:,} of {among} as {_example(reason, example)}")
        for reason, (count, example) in counted.rejects.items()
    ]
    if not counted.rows:
        raise UserError(f"not one record of {start.name} is a row; {'; '.join(rejects)}")
    return Seen(source, facts, counted, [*map(shown, [*start.notes, *notes]), *rejects])


def parting(inputs: Sequence[str]) -> dict[str, str]:
    """Return the knob `delimiter` where the CSV and TSV among some files need another than the usual one."""
    found = (
        find([str(Path(entry).absolute()) for entry in inputs], Path.cwd(), Path, "text") if inputs else []
    )
    forms = [(file, form) for file in found if not file.problem and (form := form_of(file.name, None))]
    return delimiter_of(forms)[0]


def shown(told: str) -> str:
    """Return one line that neither a terminal nor YAML takes for more than letters."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in told)


def _located(entry: str) -> str:
    """Return the absolute path of what the user named."""
    path = Path(entry).absolute()
    if not path.exists() and not glob.glob(str(path), recursive=True):  # noqa: PTH207 - Path.glob takes no absolute pattern
        raise UserError(f"there is no file {entry}; name a file, a folder or a glob that is there")
    if path.is_dir() and not any(path.iterdir()):
        raise UserError(f"the folder {entry} is empty; name one that holds files")
    if path.exists() and not path.is_dir() and not path.is_file():
        raise UserError(f"{entry} is neither a file nor a folder; write its data to a file first")
    return str(path)


def _start(paths: list[str]) -> _Start:
    """Look for the first file that holds a record; what keeps one from being read is told by its name."""
    found = find(paths, Path.cwd(), Path, "text")  # with a format given, none is refused for its ending
    names = [file.name for file in found if file.problem is None]
    forms = [(file, form) for file in found if not file.problem and (form := form_of(file.name, None))]
    knobs, notes = delimiter_of(forms)
    told = None
    for file, form in forms:
        head = head_of(file, form)
        encoding = encoding_of(file.name, head, headed=form.format in DELIMITERS)
        held, rejected = _peeked(
            file, form, How(encoding or "utf-8", "replace", "line", knobs.get("delimiter"))
        )
        if held:
            if encoding is not None:
                knobs["encoding"] = encoding
                guessed = f"guessed from the first bytes of {file.name}: see whether it reads well"
                notes.append(f"encoding is {encoding}, {guessed}")
            return _Start(file.name, knobs, [] if form.format == "text" else held, notes)
        told = told or _why_nothing(file, form, head, rejected)
    lines = (
        "; .jsonl holds one JSON object a line, which `jq -c '.[]' OLD > NEW.jsonl` makes of an array"
        if Path(names[0]).suffix == ".json"
        else ""
    )
    raise UserError(
        told
        or f"the ending of {names[0]} says no format; give it that of what it holds: {', '.join(_ENDINGS)}{lines}"
    )


def _peeked(file: File, form: Form, how: How) -> tuple[list[dict[str, Any]], list[Read]]:
    """Return the fields of a file's first records, and those that cannot be read."""
    held: list[dict[str, Any]] = []
    rejected = []
    for one in islice(records(file, form, how), _LOOKED_AT):
        if one.fields is None:
            rejected.append(one)
        else:
            held.append(one.fields)
        if len(held) == _PEEKED_AT:
            break
    return held, rejected


def _why_nothing(file: File, form: Form, head: bytes, rejected: list[Read]) -> str:
    """Say why a file gives no record."""
    if rejected:
        first = rejected[0]
        where = file.name if first.line is None else f"{file.name}:{first.line}"
        return (
            f"no record of {file.name} can be read: {_example(first.reason or '', f'{where}: {first.what}')}"
        )
    if file.path.stat().st_size == 0 or (not head and form.format not in ("parquet", "dataset")):
        what = "is empty"
    elif head and not head.strip():
        what = "holds nothing but blank lines"
    elif form.format in DELIMITERS:
        what = "holds a header and no row under it"
    else:
        what = "holds no rows"
    return f"{file.name} {what}; name a file that holds rows"


def _example(reason: str, detail: str) -> str:
    """Say why records are rejected, with an example and with what helps."""
    return f"{reason}, for example {detail}" + (f"; {_WAYS_OUT[reason]}" if reason in _WAYS_OUT else "")


def _counted(source: dict[str, Any], columns: list[str]) -> Counted:
    """Measure the rows of a source, and count what is rejected, and why.

    Where the source has no key that is one, the first of `columns` that tells the records apart may be its `key`.
    """
    words: list[np.ndarray] = []
    count = labelled = 0
    rejected: list[tuple[str, str]] = []
    seen: set[str | None] = set()
    values: dict[str, list[str]] = {column: [] for column in columns}
    checked = Source.model_validate(source)
    for stretch in read(checked, files_of(checked, Path.cwd(), Path)):
        batch = stretch.batch()
        count += batch.rows.num_rows + batch.rejects.num_rows
        labelled += batch.rows.num_rows - batch.rows["label"].null_count
        words.append(text.count_words(batch.rows).to_numpy())
        rejected += zip(*(batch.rejects[name].to_pylist() for name in ("reason", "detail")), strict=True)
        for key, place in _keys(batch):
            if key in seen:
                rejected.append(("repeated_key", f"{place}: another record has the key {key!r}"))
            seen.add(key)
        extras = [orjson.loads(extra or "{}") for extra in batch.rows["extra"].to_pylist()] if columns else []
        for column, held in values.items():
            held += [repr(extra.get(column)) for extra in extras]
        if count >= _LOOKED_AT:
            break
    first = dict(reversed(rejected))
    rejects = {
        reason: (times, first[reason]) for reason, times in Counter(why for why, _ in rejected).items()
    }
    rows = np.concatenate([*words, np.zeros(0)])
    keys = [name for name, held in values.items() if repr(None) not in held and len(set(held)) == len(held)]
    return Counted(
        records=count,
        rows=len(rows),
        labelled=labelled,
        median_words=float(np.median(rows)) if len(rows) else 0.0,
        rejects=rejects,
        key=keys[0] if keys and (not seen or rejects.keys() & _NO_KEY) else None,
    )


def _keys(batch: Batch) -> list[tuple[str | None, str]]:
    """Return each row's key and where it stands; nothing in a source without a key."""
    if batch.keys is None or batch.lines is None:
        return []
    files = batch.rows["file"].to_pylist()
    return [
        (key, file if line is None else f"{file}:{line}")
        for key, file, line in zip(batch.keys.to_pylist(), files, batch.lines.to_pylist(), strict=True)
    ]
