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


def test_runs_are_in_order_though_the_clock_runs_backwards(tmp_path, monkeypatch):
    from datetime import datetime, timedelta

    from corpus import store

    class Clock(datetime):
        hour = 12

        @classmethod
        def now(cls, zone):
            cls.hour -= 1
            return datetime(2026, 11, 23, tzinfo=zone) + timedelta(hours=cls.hour)

    monkeypatch.setattr(store, "datetime", Clock)

    names = [Store(tmp_path).new_run().name for _ in range(5)]

    assert names == sorted(names)
    assert [name[9:15] for name in names] == ["110000", "110001", "110002", "110003", "110004"]


def test_names_are_in_order_though_the_clock_runs_backwards(tmp_path, monkeypatch):
    from corpus.versions import names

    held = Store(tmp_path).library
    times = iter(["2026-11-23T10:00:00Z", "2020-01-01T00:00:00Z", "1999-01-01T00:00:00Z"])
    monkeypatch.setattr(names, "now", lambda: next(times))
    for number in range(3):
        held.names.give("name", f"{number}" * 64, number)

    assert [entry.version[0] for entry in held.names.log("name")] == ["0", "1", "2"]
    assert held.names.last("name").version == "2" * 64
