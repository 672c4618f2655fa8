"""What a machine is said to lack, and what `make` does about it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from flows import doctor

ROOT = Path(__file__).parents[2]


def store(place: Path) -> tuple[bool, str]:
    check = next(check for check in doctor.examine(place)["checks"] if check["what"] == "store")
    return check["ok"], check["found"]


def test_a_store_that_is_not_there_yet_can_be_written_and_is_left_alone(tmp_path):
    assert store(tmp_path / "a" / "b") == (True, f"{tmp_path}/a/b can be written")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_store_nor_is_what_lies_under_it(tmp_path):
    (tmp_path / "file").touch()

    assert store(tmp_path / "file") == (False, f"{tmp_path}/file cannot be written (Not a directory)")
    assert store(tmp_path / "file" / "a") == (False, f"{tmp_path}/file/a cannot be written (Not a directory)")
    assert not doctor.examine(tmp_path / "file")["ok"]


@pytest.mark.skipif(not Path("/proc/mounts").exists(), reason="has no folder that root cannot write to")
def test_a_folder_that_takes_no_files_is_no_store():
    assert store(Path("/proc"))[0] is False


def test_the_name_of_a_store_is_printed_as_it_is(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "[v1]:bug:").mkdir()

    doctor.show(doctor.examine(tmp_path / "[v1]:bug:"))

    assert f"{tmp_path}/[v1]:bug: can be written" in capsys.readouterr().out


def commands(folder: Path, **scripts: str) -> dict[str, str]:
    """Put commands before all others on the path."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name.replace("_", "-")).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name.replace("_", "-")).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_says_in_one_line_which_packages_apt_could_not_install_and_goes_on(tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    apt = f'for word; do last=$word; done; [ "$last" = apertium-eng-spa ] && exit 100; touch {there}/$last'
    machine = commands(
        tmp_path / "bin", dpkg=f"test -e {there}/$2", apt_get=f"echo E: 1 >&2; {apt}", sudo='shift; exec "$@"'
    )

    made = subprocess.run(
        ["make", "--no-print-directory", "debian"],
        cwd=ROOT,
        env=machine,
        capture_output=True,
        text=True,
        check=False,
    )

    line = "left out: what needs the Debian packages apertium-eng-spa (install them with apt-get and run again)\n"
    assert (made.returncode, made.stdout, made.stderr) == (0, line, "")
