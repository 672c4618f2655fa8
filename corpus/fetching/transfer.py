"""Bytes from elsewhere into a folder here: https, the Hugging Face hub, and what fsspec knows."""

import http.client
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit

from corpus.schema import UserError

SIZE_LIMIT = 64 * 2**30
"""Bytes that one fetch may bring: more is a mistake or a bomb."""
TIMEOUT = 60
"""Seconds without a byte."""

_PIECE = 2**20
_HUB = re.compile(
    r"hf://(?:(?P<kind>dataset|space)s/)?(?P<repo>[^/@]+/[^/@]+)@(?P<revision>[^/@]+)(?:/(?P<path>.+))?"
)
_HERE = ("127.0.0.1", "localhost", "::1")


class UnreachableError(UserError):
    """The place that a URI points to gave nothing, now or ever; the message is the middle of a sentence."""


def copied(source: IO[bytes], target: Path, limit: int) -> int:
    """Copy a stream to a new file, making its folder, and return its bytes; `UserError` above `limit`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with target.open("xb") as file:
        while piece := source.read(_PIECE):
            count += len(piece)
            if count > limit:
                raise UserError(
                    f"needed at most {limit} bytes, but {target.name} has more: fetch it by hand and use its path"
                )
            file.write(piece)
    return count


def download_web(uri: str, folder: Path, limit: int = SIZE_LIMIT) -> Path:
    """Fetch a file over https (http from this machine alone), redirections included."""
    _check_scheme(uri)
    target = folder / _last_name(unquote(urlsplit(uri).path))
    request = urllib.request.Request(uri, headers={"User-Agent": "winnow"})  # noqa: S310 - the scheme is checked above
    try:
        with urllib.request.build_opener(_Redirects).open(request, timeout=TIMEOUT) as response:
            expected = response.headers["Content-Length"]
            count = copied(response, target, limit)
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"the download failed ({_one_line(error)})") from error
    if expected is not None and count != int(expected):
        raise UnreachableError(f"the download broke off after {count} of {expected} bytes")
    return target


def download_hub(uri: str, folder: Path) -> Path:
    """Fetch `hf://[datasets/]owner/name@revision[/path]`: a repository, or one file or folder of it."""
    found = _HUB.fullmatch(uri)
    if found is None or ".." in uri.split("/"):
        raise UserError(
            f"needed hf://owner/name@revision (hf://datasets/... for data), but {uri!r} came: name a revision"
        )
    path = (found["path"] or "").rstrip("/")
    place = folder / _last_name(found["repo"])
    with _told("the Hugging Face hub"):
        from huggingface_hub import snapshot_download

        snapshot_download(
            found["repo"],
            repo_type=found["kind"],
            revision=found["revision"],
            local_dir=place,
            allow_patterns=[path, f"{path}/*"] if path else None,
        )
    shutil.rmtree(place / ".cache", ignore_errors=True)
    if not (place / path).exists():
        raise UserError(
            f"needed {path!r} in {found['repo']} at {found['revision']}, but it is not there: correct the path"
        )
    return place / path


def download_other(uri: str, folder: Path, limit: int = SIZE_LIMIT) -> Path:
    """Fetch a file, or a folder with all that it holds, by one of fsspec's schemes."""
    with _told("fsspec"):
        from fsspec.core import url_to_fs

        system, start = url_to_fs(uri)
        start = start.rstrip("/")
        names = system.find(start) if system.isdir(start) else [start]
    target = folder / _last_name(start)
    for name in names:
        inside = PurePosixPath(name).relative_to(start)
        if ".." in inside.parts:
            raise UserError(
                f"needed plain names at {uri}, but {name!r} came: fetch it by hand and use its path"
            )
        with _told("fsspec"), system.open(name, "rb") as file:
            limit -= copied(file, target / inside, limit)
    return target


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]  # typeshed: its caller passes this


def _check_scheme(uri: str) -> None:
    parts = urlsplit(uri)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise UserError(f"needed https://, but {uri!r} came: what is not encrypted can be changed on its way")


@contextmanager
def _told(whose: str) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # each backend has errors of its own; all mean that nothing came
        raise UnreachableError(f"{whose} could not fetch it ({_one_line(error)})") from error


def _last_name(path: str) -> str:
    name = PurePosixPath(path).name
    return name if name not in ("", "..") else "content"


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
