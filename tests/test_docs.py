"""The documentation is under test: what stages and recipes say of themselves is what the pages say."""

import json
import re
from pathlib import Path

import pytest

from flows import reference, scorecard
from flows.recipe import load
from flows.stages import known

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("page", "write"), [("stages.md", reference.stages), ("recipe.md", reference.recipe)]
)
def test_the_reference_pages_are_those_that_the_code_writes(page, write):
    assert (ROOT / "docs" / page).read_text() == write(), f"docs/{page} is out of date; run `make docs`"


def test_every_stage_has_a_section():
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "stages.md").read_text(), re.MULTILINE)

    assert headings == sorted(known())


def test_every_file_of_the_packages_has_a_clause_in_the_readme():
    told, folder = set(), ""
    for line in (ROOT / "README.md").read_text().splitlines():
        name = line.split(" ")[0]
        folder = name if name.endswith("/") else folder
        if found := re.match(r"  (\w+\.py) +\S", line):
            told.add(folder + found[1])
    packages = ("corpus", "curation", "augment", "audit", "tuning", "flows")
    files = {
        str(file.relative_to(ROOT))
        for package in packages
        for file in (ROOT / package).rglob("*.py")
        if file.name != "__init__.py"
    }

    assert told == files


def test_the_scorecard_in_the_readme_is_the_one_that_the_demo_printed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    scorecard.show(json.loads((ROOT / "bench" / "results" / "demo.json").read_text()))

    printed = [line.rstrip() for line in capsys.readouterr().out.strip().splitlines()]
    assert "\n".join(printed) in (ROOT / "README.md").read_text()


def test_recipes_in_the_readme_are_sound(tmp_path):
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert blocks
    for block in blocks:
        (tmp_path / "recipe.yaml").write_text(block)
        load(tmp_path / "recipe.yaml")
