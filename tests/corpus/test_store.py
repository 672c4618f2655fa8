"""The store: written aside and renamed."""

from pathlib import Path

import pytest

from corpus.disk import Disk
from corpus.schema import UserError
from corpus.store import Store


@pytest.mark.parametrize("root", ["/proc/nothing", "/dev/null/store"])
def test_a_store_that_cannot_be_written_is_a_clear_error(root):
    with pytest.raises(UserError, match="cannot be written"):
        Store(Path(root)).new_run()


def test_what_is_placed_twice_stands_once(tmp_path):
    disk = Disk(tmp_path)
    for word in ("first", "second"):
        with disk.aside() as folder:
            (folder / "made").mkdir()
            (folder / "made" / "word").write_text(word)
            disk.place(folder / "made", tmp_path / "final")

    assert (tmp_path / "final" / "word").read_text() == "first"
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("name", ["../up", "a/../../up", "/etc/passwd"])
def test_a_name_that_leads_out_is_refused(name, tmp_path):
    with pytest.raises(UserError, match="leads out"):
        Disk(tmp_path).read(name)
