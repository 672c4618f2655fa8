"""Which files a source means, what each is called, and how it is read.

file:reviews.csv        -> reviews.csv
file:corpora            -> 2024/a.jsonl.gz, 2024/b.parquet, notes.txt   (all that the folder holds)
file:corpora/*/a.jsonl  -> 2024/a.jsonl, 2025/a.jsonl
pypi://pkg==1.0/pkg/x   -> x, or what the folder x holds
"""

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

import orjson

from corpus.reading.streams import Packing
from corpus.schema import Split, UserError

Format = Literal["jsonl", "csv", "tsv", "parquet", "text", "dataset"]

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}

_FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonlines": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "dataset",
    ".txt": "text",
    ".md": "text",
    ".rst": "text",
    ".pod": "text",
}
_PACKINGS: dict[str, Packing] = {".gz": "gz", ".zst": "zst"}


@dataclass(frozen=True)
class File:
    """A file of a source. `name` is what a row's `file` says; `problem` is the reason why it is not read.

    `split` is that of its rows where they have none of their own: the folders of a saved dataset name it.
    """

    path: Path
    name: str
    split: Split | None = None
    problem: str | None = None


class Form(NamedTuple):
    """How a file is read."""

    format: Format
    packing: Packing | None


def form_of(name: str, declared: Format | None) -> Form | None:
    """Return how a file called `name` is read, in the `declared` format where there is one; None: unknown."""
    path = PurePosixPath(name.lower())
    packing = _PACKINGS.get(path.suffix)
    known = declared or _FORMATS.get(PurePosixPath(path.stem).suffix if packing else path.suffix)
    if known is None or (packing and known in ("parquet", "dataset")):
        return None
    return Form(known, packing)


def find(
    uris: Sequence[str], base: Path, fetch: Callable[[str], Path], declared: Format | None
) -> list[File]:
    """Return the files that `uris` mean, sorted by name.

    Local files are named relative to the folder that all local `uris` share (for a glob: what stands before
    its first wildcard), fetched ones by the last name of their URI. Of a folder everything is taken, hidden
    files too; what cannot be read has a `problem`. A file that two `uris` match is taken once. Raises
    `UserError` where a URI matches nothing, and where nothing has a known format.
    """
    local = [found for uri in uris if not _is_remote(uri) for found in _local(uri, base)]
    shared = Path(os.path.commonpath([root for root, _ in local])) if local else base
    files = {file.path: replace(file, name=file.path.relative_to(shared).as_posix()) for _, file in local}
    remote = [file for uri in dict.fromkeys(uris) if _is_remote(uri) for file in _fetched(uri, fetch(uri))]
    counts = Counter(file.name for file in [*files.values(), *(short for short, _ in remote)])
    named = [*files.values(), *(short if counts[short.name] == 1 else long for short, long in remote)]
    judged = [_judged(file, declared) for file in sorted(named, key=lambda file: file.name)]
    if all(file.problem for file in judged):
        raise UserError(
            f"needed a file that can be read at {', '.join(uris)}, but {judged[0].name!r} is {judged[0].problem}: "
            f"say what it is with `format:`, or give it one of the endings {', '.join(_FORMATS)}"
        )
    return judged


def _judged(file: File, declared: Format | None) -> File:
    unknown = file.problem is None and form_of(file.name, declared) is None
    return replace(file, problem="unknown_format") if unknown else file


def _is_remote(uri: str) -> bool:
    return "#sha256=" in uri or ("://" in uri and not uri.startswith("file:"))


def _local(uri: str, base: Path) -> list[tuple[Path, File]]:
    """Return the files that a local URI matches, each with the folder that names are relative to."""
    spelled = uri.removeprefix("file:")
    spelled = spelled.removeprefix("//") if spelled.startswith("///") else spelled
    pattern = Path(os.path.abspath(base / Path(spelled).expanduser()))  # noqa: PTH100 - resolve() would follow links
    if pattern.exists():
        root = pattern if pattern.is_dir() else pattern.parent
        found = [(root, file) for file in _at(pattern)]
    else:
        matches = sorted(glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        root = _before_wildcard(pattern)
        found = [(root, file) for match in matches for file in _at(Path(match))]
    if not found:
        raise UserError(f"needed files at {uri!r}, but there is nothing at {pattern}: correct the `uri:`")
    return found


def _before_wildcard(pattern: Path) -> Path:
    return next(folder for folder in pattern.parents if not glob.has_magic(str(folder)))


def _fetched(uri: str, path: Path) -> Iterator[tuple[File, File]]:
    """Yield each file at `path` under its short name and under a long one, host and folders before it."""
    parts = urlsplit(uri)
    whole = unquote(parts.netloc + parts.path).lstrip("/")
    if path.is_dir():
        for file in _at(path):
            inside = file.path.relative_to(path).as_posix()
            yield replace(file, name=inside), replace(file, name=f"{whole}/{inside}")
    else:
        yield File(path, PurePosixPath(whole).name), File(path, whole)


def _at(path: Path) -> list[File]:
    if not path.is_dir():
        return [File(path, path.name, problem=None if path.is_file() else "not_a_file")]
    if (path / "dataset_dict.json").is_file():
        splits = orjson.loads((path / "dataset_dict.json").read_bytes())["splits"]
        return [file for split in splits for file in _shards(path / _plain(split), SPLIT_NAMES.get(split))]
    if (path / "state.json").is_file():
        return _shards(path, None)
    return list(_walk(path))


def _shards(folder: Path, split: Split | None) -> list[File]:
    """Return the Arrow files of a dataset that `datasets` saved; no code of its is run."""
    state = orjson.loads((folder / "state.json").read_bytes())
    shards = [File(folder / _plain(one["filename"]), one["filename"], split) for one in state["_data_files"]]
    lost = [shard.name for shard in shards if not shard.path.is_file()]
    if lost:
        raise UserError(
            f"needed {lost[0]} in {folder}, as its state.json says, but it is not there: save the dataset anew"
        )
    return shards


def _plain(name: str) -> str:
    if PurePosixPath(name).name != name or name in ("", ".", ".."):
        raise UserError(
            f"needed a plain name in a saved dataset, but it names {name!r}: save the dataset anew"
        )
    return name


def _walk(folder: Path) -> Iterator[File]:
    """Yield all that a folder holds. A link is followed to a file inside the same folder, and nowhere else."""
    inside = folder.resolve()
    for place, folders, names in os.walk(folder):
        folders.sort()
        linked = [name for name in folders if (Path(place) / name).is_symlink()]
        for path in (Path(place) / name for name in sorted(names)):
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                yield File(path, path.name, problem="link_outside")
            else:
                yield File(path, path.name, problem=None if path.is_file() else "not_a_file")
        for name in linked:
            yield File(Path(place) / name, name, problem="link_to_folder")
