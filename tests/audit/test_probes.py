"""A term is exchanged as a whole word with its capitals; what changes with it is counted, tested exactly and shown."""

import numpy as np
import pytest
from scipy import stats

from audit.probes import exchanged, probe, settled

SLOTS = [
    {"women": "she", "men": "he"},
    {"women": "her", "men": "his"},
    {"women": "woman", "men": "man", "child": "kid"},
    {"women": "her", "men": "him"},
]


@pytest.mark.parametrize(
    ("text", "group", "instead", "expected"),
    [
        ("She said her woman shed it", "women", "men", "He said his man shed it"),
        ("HE! A MAN.", "men", "women", "SHE! A WOMAN."),
        ("him and his", "men", "women", "her and her"),
        ("the heman, he-man", "men", "women", "the heman, she-woman"),
        ("nobody", "men", "women", None),
        ("she", "women", "child", None),
        ("", "women", "men", None),
        ("a woman", "women", "child", "a kid"),
    ],
)
def test_terms_are_exchanged(text, group, instead, expected):
    assert exchanged(text, SLOTS, group, instead) == expected


def test_lost_and_won_rows_are_counted_and_tested():
    """Texts with 'he' go unless they are long: 12 rows of men would have stayed, none would have gone."""
    texts = {"men": {n: f"he {'long ' * (n % 3 == 0)}{n}" for n in range(18)}}

    def fates(rows, said):
        return [
            "blocklist: blocked_word" if one.split()[0] == "he" and "long" not in one else None
            for one in said
        ]

    (found,) = settled(probe(texts, "gender", SLOTS, [("men", "women"), ("women", "men")], fates))

    assert (found["group"], found["instead"], found["n"]) == ("men", "women", 18)
    assert (found["kept"], found["kept_instead"], found["lost"], found["won"]) == (6, 18, 0, 12)
    assert found["p"] == pytest.approx(stats.binomtest(0, 12).pvalue)
    assert found["q"] == found["p"]
    assert found["stages"] == {"blocklist: blocked_word": 12}
    assert not any("he 1" in str(value) for value in found.values())


def test_rows_are_judged_as_themselves():
    """What decides here is the row, not its text: nothing flips, whatever is exchanged."""
    texts = {"men": {7: "he", 8: "a man"}}

    def fates(rows, said):
        return ["s: odd" if row % 2 else None for row in rows]

    (found,) = settled(probe(texts, "gender", SLOTS, [("men", "women")], fates))

    assert (found["kept"], found["kept_instead"], found["flips"]["value"], found["p"]) == (1, 1, 0.0, 1.0)


def test_q_is_over_all_exchanges_and_the_hardest_comes_first():
    generator = np.random.default_rng(1)
    texts = {
        "men": {n: f"he {n}" for n in range(40)},
        "women": {n + 40: f"she {n}" for n in range(40)},
    }

    def fates(rows, said):
        return ["s: r" if one.startswith("she") or generator.random() < 0.05 else None for one in said]

    found = settled(probe(texts, "gender", SLOTS, [("men", "women"), ("women", "men")], fates))

    assert [one["group"] for one in found] == ["women", "men"]
    expected = stats.false_discovery_control([one["p"] for one in found])
    assert [one["q"] for one in found] == pytest.approx(expected.tolist())


def test_without_rows_or_terms_there_is_nothing_to_probe():
    def fates(rows, said):
        return [None for _ in zip(rows, said, strict=True)]

    assert settled(probe({}, "gender", SLOTS, [("men", "women")], fates)) == []
    assert settled(probe({"men": {0: "nobody"}}, "gender", SLOTS, [("men", "women")], fates)) == []
