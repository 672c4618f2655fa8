"""Whoever loses more than half of their rows is told of."""

import random

import pytest

from flows import finish
from flows.alarms import alarms, sentences
from tests.flows import jobs

TEMPLATE = (
    "Dear {}, we thank you for the order that you placed with us, and we are glad to tell you that {} has left our house "
    "today and will be at your door before the end of the week, when somebody has to be at home to sign for it."
)


def records(seed: int) -> list[dict]:
    """Rows of two labels in two sources' worth of groups, of which one is made from a template."""
    generator = random.Random(seed)
    words = [f"w{number}" for number in range(3_000)]
    made = [
        {"text": " ".join(generator.choices(words, k=20)), "label": generator.choice("ab"), "region": "north"}
        for _ in range(150)
    ]
    made += [
        {
            "text": TEMPLATE.format(*generator.choices(words, k=2)),
            "label": "c",
            "region": "south",
        }
        for _ in range(40)
    ]
    generator.shuffle(made)
    return made


def sources(tmp_path, seed: int):
    held = records(seed)
    jobs.write(tmp_path / f"plain-{seed}", [row for row in held if row["region"] == "north"])
    jobs.write(tmp_path / f"template-{seed}", [row for row in held if row["region"] == "south"])
    return [
        {"name": name, "uri": f"file:{tmp_path / f'{name}-{seed}'}", "groups": ["region"]}
        for name in ("plain", "template")
    ]


@pytest.mark.parametrize("seed", range(10))
def test_a_planted_template_raises_its_alarm_by_source_label_and_group(tmp_path, seed):
    recipe = jobs.recipe(
        tmp_path,
        [{"stage": "near_duplicates", "shingle_words": 2}, {"stage": "split"}],
        sources=sources(tmp_path, seed),
    )

    found = alarms(jobs.job(recipe, tmp_path / "store", workers=1))

    assert {(line["stage"], line["axis"], line["group"]) for line in found} == {
        ("near_duplicates", "source", "template"),
        ("near_duplicates", "label", "c"),
        ("near_duplicates", "region", "south"),
    }
    assert all(line["low"] > 0.5 and line["lost"] > 20 and line["in"] == 40 for line in found)


def test_losses_that_only_all_stages_together_make_are_told(tmp_path):
    texts = [f"alpha word{number} beta" if number < 20 else f"gamma word{number}" for number in range(50)]
    rows = [{"text": said + (" delta" if 20 <= n < 40 else ""), "label": "x"} for n, said in enumerate(texts)]
    rows += [{"text": f"other thing number {number}", "label": "y"} for number in range(50)]
    stages = [
        {"stage": "blocklist", "words": ["beta"], "name": "first"},
        {"stage": "blocklist", "words": ["delta"], "name": "second"},
    ]
    job = jobs.job(jobs.recipe(jobs.write(tmp_path / "c", rows), stages), tmp_path / "store", workers=1)

    found = alarms(job)

    assert [(line["stage"], line["axis"], line["group"], line["in"], line["lost"]) for line in found] == [
        ("second", "label", "x", 30, 20)
    ] or [(line["stage"], line["group"], line["lost"]) for line in found] == [("all stages", "x", 40)]
    assert sentences(found)[0].startswith("label 'x' lost")


def test_what_is_chosen_and_what_is_few_is_no_alarm(tmp_path):
    rows = [
        {"text": f"the only text of {number // 19} in the world", "label": f"l{number // 19}"}
        for number in range(57)
    ]
    job = jobs.job(
        jobs.recipe(jobs.write(tmp_path / "c", rows), [{"stage": "exact_duplicates"}]),
        tmp_path / "store",
        workers=1,
    )

    assert [line["group"] for line in alarms(job)] == ["small"]
    assert any("lost" in said for said in finish.alarms.sentences(alarms(job)))


def test_rows_that_one_stage_was_not_given_count_where_another_took_them(tmp_path):
    rows = [{"text": "kept of the training rows", "label": "x", "split": "train"} for _ in range(25)]
    rows += [
        {"text": f"test row {number}" if number > 40 else "short", "label": "x", "split": "test"}
        for number in range(240)
    ]
    stages = [
        {"stage": "length", "name": "train only", "min_words": 3, "splits": ["train"]},
        {"stage": "length", "min_words": 3},
    ]
    job = jobs.job(jobs.recipe(jobs.write(tmp_path / "c", rows), stages), tmp_path / "store", workers=1)

    assert alarms(job) == []
