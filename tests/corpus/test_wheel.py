"""Taking a member out of a wheel: what is refused."""

import stat
import zipfile

import pytest

from corpus.fetching.transfer import copied
from corpus.fetching.wheel import Member, parse, unpack
from corpus.schema import UserError


def test_a_uri_names_a_release_and_a_path_in_it():
    assert parse("pypi://Some.Name==1.0rc1+local/a/b.csv") == Member("Some.Name==1.0rc1+local", "a/b.csv")
    assert parse("pypi://n==1/folder/") == Member("n==1", "folder")


def test_a_member_larger_than_the_limit_is_refused(tmp_path):
    path = tmp_path / "w.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny_corpus/data/a", bytes(10**6))
        archive.writestr("tiny_corpus/data/b", bytes(10**6))

    with pytest.raises(UserError, match="needed at most"):
        unpack(path, "tiny_corpus/data", tmp_path / "out", limit=15 * 10**5)


@pytest.mark.parametrize(
    "name", ["tiny_corpus/data/../../evil", "tiny_corpus/data//etc/evil", "tiny_corpus/data/a\\b"]
)
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name):
    path = tmp_path / "w.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")

    with pytest.raises(UserError, match="needed a plain path inside a wheel"):
        unpack(path, "tiny_corpus/data", tmp_path / "out")


def test_links_and_damage_in_a_wheel_are_refused(tmp_path):
    path = tmp_path / "w.whl"
    link = zipfile.ZipInfo("d/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("e/file", b"payload")
    with pytest.raises(UserError, match="is a link"):
        unpack(path, "d", tmp_path / "out")

    path.write_bytes(path.read_bytes().replace(b"payload", b"damaged"))

    with pytest.raises(UserError, match="is damaged"):
        unpack(path, "e", tmp_path / "out")


def test_a_copy_stops_at_its_limit(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")

    with (tmp_path / "a").open("rb") as source:
        assert copied(source, tmp_path / "b", 5) == 5
    with (tmp_path / "a").open("rb") as source, pytest.raises(UserError, match="at most 4 bytes"):
        copied(source, tmp_path / "c", 4)
