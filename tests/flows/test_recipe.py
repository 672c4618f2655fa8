"""Recipes are checked before anything runs; what is wrong is one line that says what to do."""

import json
from importlib.resources import files

import pytest
from click.testing import CliRunner

from corpus.schema import UserError
from flows.cli import winnow
from flows.recipe import Form, change, load, parse

BASE = {"name": "small", "sources": [{"name": "a", "uri": "a.jsonl"}]}


@pytest.mark.parametrize(
    ("change_to", "told"),
    [
        (
            {"stages": [{"stage": "near_duplicate"}]},
            "unknown stage 'near_duplicate'; did you mean 'near_duplicates'?",
        ),
        (
            {"stages": [{"stage": "length", "min_word": 3}]},
            "unknown knob 'min_word'; did you mean 'min_words'?",
        ),
        (
            {"stages": [{"stage": "near_duplicates", "threshold": 1.5}]},
            "threshold: Input should be less than or equal to 1, and 1.5 came",
        ),
        (
            {"stages": [{"stage": "length", "min_words": 9, "max_words": 3}]},
            "min_words is 9 and max_words 3: no row could pass",
        ),
        ({"stages": [{"stage": "split", "train": 0.5}]}, "must add up to 1; they add up to 0.7"),
        ({"stages": [{"min_words": 3}]}, "stages.0: Unable to extract tag using discriminator 'stage'"),
        ({"stages": [{"stage": "length"}, {"stage": "length"}]}, "stages: 'length' is used twice"),
        (
            {"stages": [{"stage": "near_duplicates", "priority": ["book"]}]},
            "stages: near_duplicates.priority names 'book', which is no source; there are:",
        ),
        ({"memory": "1kB"}, "memory: "),
        ({"stages": [{"stage": "back_translation"}]}, "grows rows that no `admission` behind it judges"),
        (
            {"stages": [{"stage": "back_translation"}, {"stage": "paraphrase"}, {"stage": "admission"}]},
            "candidates of back_translation would go on before `admission` judges them",
        ),
        (
            {
                "stages": [
                    {"stage": "templates"},
                    {"stage": "length"},
                    {"stage": "paraphrase"},
                    {"stage": "admission"},
                ]
            },
            "candidates of templates would go on before `admission` judges them",
        ),
        (
            {
                "stages": [
                    {"stage": "paraphrase"},
                    {"stage": "admission"},
                    {"stage": "templates"},
                    {"stage": "length"},
                ]
            },
            "templates grows rows that no `admission` behind it judges",
        ),
        *(
            (
                {
                    "stages": [
                        {"stage": "paraphrase"},
                        *({"stage": one} for one in between),
                        {"stage": "admission"},
                    ]
                },
                "candidates of paraphrase would go on before `admission` judges them",
            )
            for between in (["near_duplicates", "length"], ["paragraph_duplicates"])
        ),
        (
            {"stages": [{"stage": "back_translation"}, {"stage": "admission"}, {"stage": "split"}]},
            "put `split` before it",
        ),
        (
            {"stages": [{"stage": "admission", "targets": {"region": "balance"}}]},
            "stages: admission.targets names 'region', which no source declares; there are: label, source",
        ),
        *(
            ({"stages": [{"stage": one} if isinstance(one, str) else one for one in stages]}, told)
            for stages, told in (
                (
                    ["admission"],
                    "admission judges what the growth before it made, and none stands in its pass",
                ),
                (["split", "admission", "length"], "stages: admission judges what the growth before it made"),
                (
                    ["paraphrase", "admission", "length", {"stage": "admission", "name": "second"}],
                    "stages: second judges what the growth before it made",
                ),
            )
        ),
        ({"stages": 5}, "stages: Input should be a valid tuple, and 5 came"),
        ({"evaluation": {}}, "there is no tuning section"),
        ({"tuning": {"model": "file:m"}, "shards": {"publish": False}}, "shards.publish is false"),
        ({"wait_minutes": 5}, "no gate stops the run"),
        ({"wait_minutes": -1}, "wait_minutes"),
        ({"tunning": {}}, "unknown knob 'tunning'; did you mean 'tuning'?"),
        ({"tuning": {"modle": "x"}}, "did you mean 'model'?"),
        ({"sources": []}, "sources"),
        ({"sources": [{"name": "a"}]}, "sources.0.uri is needed and was not given"),
        ({"name": "../up"}, "name"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(change_to, told):
    with pytest.raises(UserError) as error:
        parse({**BASE, **change_to}, "recipe.yaml")

    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"- a\n- b\n", "is a mapping"),
        (b"a: [", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"", "is a mapping"),
    ],
)
def test_a_file_that_is_no_recipe_is_told(content, told, tmp_path):
    (tmp_path / "recipe.yaml").write_bytes(content)

    with pytest.raises(UserError, match=told):
        load(tmp_path / "recipe.yaml")


def test_a_recipe_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        load(tmp_path / "nothing.yaml")


def test_set_reaches_sections_stages_and_sources():
    held = {
        **BASE,
        "sources": [dict(BASE["sources"][0])],
        "stages": [{"stage": "length", "name": "short"}],
        "tuning": {"model": "m"},
    }

    for setting in ("seed=9", "short.min_words=5", "tuning.epochs=2", "a.encoding_errors=replace"):
        change(held, setting)

    assert (held["seed"], held["stages"][0]["min_words"], held["tuning"]["epochs"]) == (9, 5, 2)
    assert held["sources"][0]["encoding_errors"] == "replace"


@pytest.mark.parametrize("setting", ["nothing", "lenght.min_words=3", "tuning.a.b=3", "=3"])
def test_a_setting_that_reaches_nothing_is_told(setting):
    with pytest.raises(UserError, match="--set"):
        change({**BASE, "stages": [{"stage": "length"}], "tuning": {}}, setting)


def test_nothing_in_a_recipe_is_executed(tmp_path):
    (tmp_path / "recipe.yaml").write_text("name: !!python/object/apply:os.system ['touch pwned']\n")

    with pytest.raises(UserError, match="is not YAML"):
        load(tmp_path / "recipe.yaml")


@pytest.mark.parametrize("recipe", sorted(path.name for path in (files("data") / "recipes").iterdir()))
def test_the_recipes_that_ship_are_sound(recipe):
    held = load(files("data") / "recipes" / recipe)

    assert Form.model_validate(json.loads(held.model_dump_json())) == held


def test_a_mistake_is_one_line_and_status_2(tmp_path):
    import subprocess
    import sys

    written = tmp_path / "recipe.yaml"
    written.write_text(json.dumps({**BASE, "stages": [{"stage": "lenth"}]}))
    command = [sys.executable, "-c", "from flows.cli import main; main()"]

    answer = subprocess.run(
        [*command, "apply", str(written), "--output", str(tmp_path / "out"), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "winnow: unknown stage 'lenth'; did you mean 'length'?\n"


def test_help_names_every_command():
    answer = CliRunner().invoke(winnow, ["--help"])

    assert all(command in answer.output for command in ("run", "apply", "init", "explain", "doctor", "serve"))


@pytest.mark.parametrize("between", [[], ["length", "normalise"], ["near_duplicates"]])
def test_a_gate_may_stand_behind_filters_in_the_pass_of_its_growth(between):
    stages = [{"stage": "paraphrase"}, *({"stage": one} for one in between), {"stage": "admission"}]

    assert [one.stage for one in parse({**BASE, "stages": stages}, "recipe.yaml").stages] == [
        "paraphrase", *between, "admission",
    ]  # fmt: skip
