"""A term is exchanged as a whole word with its capitals; what changes with it is counted, tested exactly and shown."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.probes import probe, settled, worst
from corpus.exchange import exchanged

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
        ("\u017fhe, h\u0131s", "women", "men", None),
        ("h\u0131s man", "men", "women", "h\u0131s woman"),
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

    probed = probe(texts, "gender", SLOTS, [("men", "women"), ("women", "men")], fates)

    (found,) = settled(probed.told)
    assert (found["group"], found["instead"], found["n"]) == ("men", "women", 18)
    assert (found["kept"], found["kept_instead"], found["lost"], found["won"]) == (6, 18, 0, 12)
    assert found["p"] == pytest.approx(stats.binomtest(0, 12).pvalue)
    assert found["q"] == found["p"]
    assert found["stages"] == {"blocklist: blocked_word": 12}
    assert not any("he 1" in str(value) for value in found.values())
    assert [pair["row"] for pair in probed.pairs] == [row for row in range(18) if row % 3]
    assert probed.pairs[0] == {
        "row": 1,
        "axis": "gender",
        "group": "men",
        "instead": "women",
        "text": "he 1",
        "instead_text": "she 1",
        "words": [[0, 2, 0, 3]],
        "before": "blocklist: blocked_word",
        "after": None,
    }


def test_rows_are_judged_as_themselves():
    """What decides here is the row, not its text: nothing flips, whatever is exchanged."""
    texts = {"men": {7: "he", 8: "a man"}}

    def fates(rows, said):
        return ["s: odd" if row % 2 else None for row in rows]

    probed = probe(texts, "gender", SLOTS, [("men", "women")], fates)

    (found,) = settled(probed.told)
    assert probed.pairs == []

    assert (found["kept"], found["kept_instead"], found["flips"]["value"], found["p"]) == (1, 1, 0.0, 1.0)


def test_q_is_over_all_exchanges_and_the_hardest_comes_first():
    generator = np.random.default_rng(1)
    texts = {
        "men": {n: f"he {n}" for n in range(40)},
        "women": {n + 40: f"she {n}" for n in range(40)},
    }

    def fates(rows, said):
        return ["s: r" if one.startswith("she") or generator.random() < 0.05 else None for one in said]

    found = settled(probe(texts, "gender", SLOTS, [("men", "women"), ("women", "men")], fates).told)

    assert [one["group"] for one in found] == ["women", "men"]
    expected = stats.false_discovery_control([one["p"] for one in found])
    assert [one["q"] for one in found] == pytest.approx(expected.tolist())


def test_without_rows_or_terms_there_is_nothing_to_probe():
    def fates(rows, said):
        return [None for _ in zip(rows, said, strict=True)]

    assert probe({}, "gender", SLOTS, [("men", "women")], fates) == ([], [])
    assert probe({"men": {0: "nobody"}}, "gender", SLOTS, [("men", "women")], fates) == ([], [])


@given(st.lists(st.sampled_from(["she", "Her", "WOMAN", "shed", ".", "\n", "\U0001f600", "he"]), max_size=9))
def test_what_is_marked_is_what_was_exchanged(words):
    """In either text the words stand where it is said, and all round them is the same."""
    text = " ".join(words)

    def fates(rows, said):
        return [None if one == text else "s: r" for _, one in zip(rows, said, strict=True)]

    pairs = probe({"women": {0: text}}, "gender", SLOTS, [("women", "men")], fates).pairs

    assert len(pairs) == bool({"she", "Her", "WOMAN"} & {*words})
    for pair in pairs:
        other = pair["instead_text"]
        for (_, was, _, would), (begin, end, there, stop) in pairwise([(0, 0, 0, 0), *pair["words"]]):
            assert text[was:begin] == other[would:there]
            assert (text[begin:end], other[there:stop]) in {("she", "he"), ("Her", "His"), ("WOMAN", "MAN")}
        assert text[pair["words"][-1][1] :] == other[pair["words"][-1][3] :]


def test_the_worst_pairs_are_of_all_exchanges_in_turn_and_each_of_another_row():
    told = [{"axis": "a", "group": group, "instead": "x"} for group in ("first", "second")]
    pairs = [
        {"axis": "a", "group": group, "instead": "x", "row": row}
        for group, rows in (("second", (1, 5)), ("first", (1, 2, 3, 4)))
        for row in rows
    ]

    found = worst(told, pairs, most=4)

    assert [(pair["group"], pair["row"]) for pair in found] == [
        ("first", 1), ("first", 2), ("second", 5), ("first", 3),
    ]  # fmt: skip
