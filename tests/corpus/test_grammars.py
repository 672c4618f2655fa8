"""Who asks for a pair of Apertium that is not there is told what to write, or what to install that exists."""

import pytest

from corpus.grammars import advice


@pytest.fixture
def modes(tmp_path):
    for pair in ("cat-eng", "en-eo", "en-eo-bytecode", "en-gl", "eng-cat", "eng-cat_valencia", "gl-en"):
        (tmp_path / f"{pair}.mode").touch()
    (tmp_path / "README").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "installed"),
    [
        (("eng", "epo"), "en-eo"),
        (("eng", "eo"), "en-eo"),
        (("en", "glg"), "en-gl"),
        (("glg", "eng"), "gl-en"),
        (("en", "ca"), "eng-cat"),
        (("en", "ca_valencia"), "eng-cat_valencia"),
    ],
)
def test_a_pair_that_is_installed_under_other_codes_is_named_as_it_is_written(modes, asked, installed):
    assert advice(*asked, modes) == f"it is installed as {installed}: write apertium:{installed}"


def test_a_pair_that_is_not_installed_is_told_by_its_package_whatever_its_codes(modes):
    others = "write one that is installed (cat-eng, en-eo, en-gl, eng-cat, gl-en), or"

    assert advice("eng", "spa", modes) == f"{others} apt-get install apertium apertium-eng-spa"
    assert advice("es", "en", modes) == f"{others} apt-get install apertium apertium-eng-spa"
    assert advice("epo", "en", modes) == f"{others} apt-get install apertium apertium-eo-en"


def test_no_package_is_made_up(modes, tmp_path):
    search = "look with `apt-cache search apertium-` for a package of both languages"

    assert advice("eng", "xyz", modes).endswith(search)
    assert advice("eng", "xyz", tmp_path / "nowhere") == search
    assert advice("epo", "eng", tmp_path / "nowhere") == "apt-get install apertium apertium-eo-en"
