"""Which files a source means, and what they are called."""

from pathlib import Path

import datasets
import pytest

from corpus.reading.files import File, Form, form_of
from corpus.schema import UserError
from corpus.sources import Source, files_of


def refuse(uri: str) -> Path:
    raise AssertionError(f"{uri} is local")


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x\n")


def found(base: Path, *uris: str, **knobs: str) -> list[tuple[str, str | None]]:
    return [(file.name, file.problem) for file in files_of(Source(name="s", uri=uris, **knobs), base, refuse)]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.jsonl", Form("jsonl", None)),
        ("a.NDJSON.gz", Form("jsonl", "gz")),
        ("a.csv.zst", Form("csv", "zst")),
        ("a.tsv", Form("tsv", None)),
        ("a.parquet", Form("parquet", None)),
        ("a.md", Form("text", None)),
        ("a.pod.gz", Form("text", "gz")),
        ("data-00000-of-00001.arrow", Form("dataset", None)),
        ("a.parquet.gz", None),
        ("a.json", None),
        ("csv", None),
    ],
)
def test_the_name_says_how_a_file_is_read(name, form):
    assert form_of(name, None) == form


def test_a_declared_format_wins_over_the_name_and_keeps_the_packing():
    assert form_of("a.data.gz", "csv") == Form("csv", "gz")


@pytest.mark.parametrize("uri", ["a.csv", "file:a.csv", "./a.csv"])
def test_a_path_means_one_file_relative_to_the_base(tmp_path, uri):
    touch(tmp_path, "a.csv")

    files = files_of(Source(name="s", uri=uri), tmp_path, refuse)

    assert files == [File(tmp_path / "a.csv", "a.csv")]


def test_an_absolute_file_uri_does_not_depend_on_the_base(tmp_path):
    touch(tmp_path, "a.csv")

    assert found(Path("/nowhere"), f"file://{tmp_path}/a.csv") == [("a.csv", None)]


def test_a_folder_means_all_that_it_holds_and_what_is_unknown_has_a_problem(tmp_path):
    touch(tmp_path, "d/b.csv", "d/sub/a.jsonl", "d/picture.png", "d/.hidden")

    assert found(tmp_path, "d") == [
        (".hidden", "unknown_format"),
        ("b.csv", None),
        ("picture.png", "unknown_format"),
        ("sub/a.jsonl", None),
    ]


def test_globs_name_files_from_their_first_wildcard_and_overlap_without_repeating(tmp_path):
    touch(tmp_path, "d/x/1.csv", "d/y/1.csv", "d/y/2.txt")

    assert found(tmp_path, "d/*/1.csv", "d/x/*") == [("x/1.csv", None), ("y/1.csv", None)]
    assert found(tmp_path, "d/**/*.txt") == [("y/2.txt", None)]


def test_several_uris_are_named_from_their_common_folder(tmp_path):
    touch(tmp_path, "d/x/1.csv", "d/y/1.csv")

    assert found(tmp_path, "d/y/1.csv", "d/x/1.csv") == [("x/1.csv", None), ("y/1.csv", None)]


def test_links_in_a_folder_lead_only_to_its_own_files(tmp_path):
    touch(tmp_path, "secret.txt", "d/a.txt", "d/sub/b.txt")
    (tmp_path / "d/inside.txt").symlink_to(tmp_path / "d/a.txt")
    (tmp_path / "d/outside.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "d/broken.txt").symlink_to(tmp_path / "d/none.txt")
    (tmp_path / "d/folder").symlink_to(tmp_path / "d/sub")

    assert found(tmp_path, "d") == [
        ("a.txt", None),
        ("broken.txt", "not_a_file"),
        ("folder", "link_to_folder"),
        ("inside.txt", None),
        ("outside.txt", "link_outside"),
        ("sub/b.txt", None),
    ]
    assert found(tmp_path, "d/out*.txt") == [("outside.txt", None)]


@pytest.mark.parametrize("uri", ["none.csv", "none/*.csv", "empty"])
def test_an_empty_match_is_an_error_that_names_the_uri(tmp_path, uri):
    (tmp_path / "empty").mkdir()

    with pytest.raises(UserError, match=rf"source 's': needed files at '{uri.replace('*', '.')}'"):
        found(tmp_path, uri)


def test_a_source_without_any_known_file_is_an_error(tmp_path):
    touch(tmp_path, "a.json")

    with pytest.raises(UserError, match=r"'a\.json' is unknown_format: say what it is with `format:`"):
        found(tmp_path, "a.json")


def test_fetched_files_are_called_as_their_uri_ends_and_more_where_two_end_alike(tmp_path):
    touch(tmp_path, "cache/1", "cache/2", "cache/3/part.csv")
    kept = {"https://x.org/a/t.csv?v=1": "1", "https://x.org/b/t.csv": "2", "pypi://p==1/d#sha256=00": "3"}
    source = Source(name="s", uri=tuple(kept))

    files = files_of(source, tmp_path, lambda uri: tmp_path / "cache" / kept[uri])

    assert files == [
        File(tmp_path / "cache/3/part.csv", "part.csv"),
        File(tmp_path / "cache/1", "x.org/a/t.csv"),
        File(tmp_path / "cache/2", "x.org/b/t.csv"),
    ]


def test_a_saved_dataset_is_its_shards_and_its_folders_name_the_split(tmp_path):
    rows = datasets.Dataset.from_dict({"text": ["a", "b"]})
    datasets.DatasetDict({"train": rows, "dev": rows, "unsupervised": rows}).save_to_disk(tmp_path / "d")

    files = files_of(Source(name="s", uri="d"), tmp_path, refuse)

    shard = "data-00000-of-00001.arrow"
    assert [(file.name, file.split) for file in files] == [
        (f"dev/{shard}", "validation"),
        (f"train/{shard}", "train"),
        (f"unsupervised/{shard}", None),
    ]
