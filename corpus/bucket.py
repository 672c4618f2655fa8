"""A bucket of an S3-compatible object storage as a shelf of published versions.

An object is whole or absent by itself. A name that must be given once is given by a conditional put
(`If-None-Match: *`), which S3 has had since 2024, and MinIO, R2 and Ceph have too.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from uuid import uuid4

from corpus.fetch import cache_folder
from corpus.lock import locked
from corpus.schema import UnreachableError, UserError

_FIXED = re.compile(r"(data/[a-z]+|attestations/records)-\d+-[0-9a-f]{8}\.parquet$|manifest\.json$")
"""Files of a version that never change: they are fetched once."""


@dataclass(frozen=True)
class Bucket:
    """What lies under a prefix of a bucket, named by a URI `s3://bucket/prefix`.

    Credentials, region and endpoint are found as boto3 finds them (`AWS_ENDPOINT_URL` for other services).
    Files that are read as files are copied to this machine's cache, once where they never change.
    """

    uri: str
    alone: ClassVar[bool] = False
    """Other machines may write at any time."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/]+)*/?", self.uri):
            raise UserError(f"{self.uri!r} names no bucket; needed s3://BUCKET or s3://BUCKET/PREFIX")

    @property
    def _bucket(self) -> str:
        return self.uri.removeprefix("s3://").partition("/")[0]

    def _key(self, name: str) -> str:
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise UserError(
                f"{name!r} leads out of the store {self.uri}; names have no `..` and begin with no /"
            )
        prefix = self.uri.removeprefix("s3://").partition("/")[2].strip("/")
        return f"{prefix}/{name}" if prefix else name

    @cached_property
    def _client(self) -> Any:
        try:
            import boto3
        except ImportError as error:
            raise UserError("a store in S3 needs boto3: pip install 'winnow[s3]'") from error
        return boto3.client("s3")

    def _ask(self, what: str, **how: Any) -> Any:
        """Call the service; what it refuses is a `UserError`, what is not there a `FileNotFoundError`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, what)(Bucket=self._bucket, **how)
        except ClientError as error:
            code = str(error.response["Error"]["Code"])
            if code in ("NoSuchKey", "404", "NotFound"):
                raise FileNotFoundError(f"{self.uri}: {how.get('Key')}") from error
            if code in ("PreconditionFailed", "412", "ConditionalRequestConflict", "409"):
                raise FileExistsError(f"{self.uri}: {how.get('Key')}") from error
            raise UnreachableError(
                f"{self.uri}: {error.response['Error'].get('Message', code)} ({code})"
            ) from error
        except BotoCoreError as error:
            raise UnreachableError(f"{self.uri} cannot be reached: {error}") from error

    # --- what a library asks of its shelf (`corpus.versions.shelf.Shelf`)

    def read(self, name: str) -> bytes:
        """Return a file's bytes; raises `FileNotFoundError`."""
        return b"".join(self._get(name)[1])

    def _get(self, name: str) -> tuple[str, Iterator[bytes]]:
        """Return a file's entity tag, and its bytes in pieces; raises `FileNotFoundError`."""
        found = self._ask("get_object", Key=self._key(name))
        return found["ETag"], self._pieces(name, found["Body"])

    def _pieces(self, name: str, body: Any) -> Iterator[bytes]:
        from botocore.exceptions import BotoCoreError

        try:
            yield from body.iter_chunks(8 * 2**20)
        except BotoCoreError as error:
            raise UnreachableError(f"{self.uri}: {name} broke off: {error}") from error

    def write(self, name: str, content: bytes) -> None:
        """Write one small file; an earlier one of the name is replaced."""
        self._ask("put_object", Key=self._key(name), Body=content)
        (self._copies / name).unlink(missing_ok=True)

    def create(self, name: str, content: bytes) -> bool:
        """Write one small file if the name is free, and say whether it was: of many who try at once one wins."""
        try:
            self._ask("put_object", Key=self._key(name), Body=content, IfNoneMatch="*")
        except FileExistsError:
            return False
        return True

    def names(self, folder: str) -> list[str]:
        """Return what stands directly in a folder, sorted; nothing where there is none."""
        prefix = self._key(folder) + "/"
        found = []
        for page in self._pages(prefix, delimiter="/"):
            found += [held["Prefix"][len(prefix) : -1] for held in page.get("CommonPrefixes", [])]
            found += [held["Key"][len(prefix) :] for held in page.get("Contents", [])]
        return sorted(found)

    def _pages(self, prefix: str, delimiter: str = "") -> Iterator[Any]:
        more: dict[str, Any] = {}
        while True:
            page = self._ask("list_objects_v2", Prefix=prefix, Delimiter=delimiter, **more)
            yield page
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def hold(self, made: Path, name: str) -> None:
        """Take a file that was written aside; an earlier one of the name is replaced."""
        from boto3.exceptions import S3UploadFailedError

        try:
            self._client.upload_file(str(made), self._bucket, self._key(name))
        except S3UploadFailedError as error:
            raise UnreachableError(f"{self.uri}: {error}") from error

    def compose(self, made: Path, links: Mapping[str, str], name: str) -> None:
        """Take a folder that was written aside, with copies in it of files that stand; `manifest.json` comes last.

        Whoever puts the same version at the same time, or left half of it, put the same files: all are put again.
        """
        if "manifest.json" in self.names(name):
            return
        for inside, held in links.items():
            self._as_read(held)
            source = {"Bucket": self._bucket, "Key": self._key(held)}
            self._ask("copy_object", Key=self._key(f"{name}/{inside}"), CopySource=source)
        files = sorted(path for path in made.rglob("*") if path.is_file())
        for file in sorted(files, key=lambda path: path.name == "manifest.json"):
            if "manifest.json" in self.names(name):
                return  # another was faster, and may have attested of it since
            self.hold(file, f"{name}/{file.relative_to(made)}")

    def _as_read(self, name: str) -> None:
        """Raise `UserError` where a file is not the one that this machine has a copy of, and so was found right."""
        tag = self._tags / name
        if not tag.exists():
            return
        found = self._ask("head_object", Key=self._key(name))["ETag"]
        if found != tag.read_text():
            raise UserError(f"{self.url(name)} was changed since it was read; `winnow verify` tells more")

    def url(self, name: str) -> str:
        """Return where users find what stands under a name."""
        return f"{self.uri.rstrip('/')}/{name}"

    def local(self, name: str, *, anew: bool = False) -> Path:
        """Return a file or folder of this machine with what stands under the name; `anew` passes over copies."""
        if _FIXED.search(name):
            return self._fetch(name, anew)
        prefix = self._key(name) + "/"
        inside = [
            held["Key"][len(prefix) :] for page in self._pages(prefix) for held in page.get("Contents", [])
        ]
        for file in inside:
            self._fetch(f"{name}/{file}")
        return self._copies / name if inside else self._fetch(name)

    @property
    def _copies(self) -> Path:
        """Where this machine keeps copies."""
        return cache_folder() / "s3" / hashlib.sha256(self.uri.rstrip("/").encode()).hexdigest()[:16]

    @property
    def _tags(self) -> Path:
        """Where the entity tags of the copies are kept."""
        return self._copies.with_name(f"{self._copies.name}-tags")

    def _fetch(self, name: str, anew: bool = False) -> Path:
        final = self._copies / name
        if final.exists() and _FIXED.search(name) and not anew:
            return final
        final.parent.mkdir(parents=True, exist_ok=True)
        aside = final.with_name(f".{uuid4().hex}")
        tag = self._tags / name
        tag.parent.mkdir(parents=True, exist_ok=True)
        try:
            tag.write_text(self._download(name, aside))
            aside.replace(final)
        finally:
            aside.unlink(missing_ok=True)
        return final

    def _download(self, name: str, to: Path) -> str:
        """Write a file's bytes to a path; return its entity tag."""
        tag, pieces = self._get(name)
        with to.open("wb") as file:
            file.writelines(pieces)
        return tag

    @contextmanager
    def lend(self, name: str) -> Iterator[Path]:
        """Lend a fresh copy of a file, as it stands in the bucket now; raises `FileNotFoundError`."""
        with TemporaryDirectory() as folder:
            lent = Path(folder) / "lent"
            self._download(name, lent)
            yield lent

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Do nothing: a bucket has no locks, and what is read was copied."""
        yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change what stands beside versions while nobody else on this machine does; of others nothing is known."""
        self._copies.mkdir(parents=True, exist_ok=True)
        with locked(self._copies / "attesting"):
            yield

    def unread(self, name: str) -> bool:
        """Say that nobody reads in place: readers have copies."""
        return True

    def written(self, name: str) -> datetime:
        """Return when a file was written."""
        found: datetime = self._ask("head_object", Key=self._key(name))["LastModified"]
        return found

    def remove(self, name: str) -> None:
        """Remove a file or a folder with all that is in it, and this machine's copies; a manifest goes first."""
        keys = [held["Key"] for page in self._pages(self._key(name)) for held in page.get("Contents", [])]
        mine = [key for key in keys if key == self._key(name) or key.startswith(self._key(name) + "/")]
        for key in sorted(mine, key=lambda key: not key.endswith("/manifest.json")):
            self._ask("delete_object", Key=key)
            copy = self._copies / name / key.removeprefix(self._key(name)).lstrip("/")
            copy.unlink(missing_ok=True)
