"""Bad ones are planted whatever a run admitted, no text stands on a sheet twice, and what was drawn before is drawn still."""

import hashlib
import json
import random
from collections import Counter

import pytest

from flows.gate_candidates import Candidate
from flows.gate_plants import FIRST, PLANTED, PLANTS, SHARES, SPLIT, of_any
from flows.gate_sheet import drawn
from tests.flows.words import WORDS

FAULTY = [
    "we paid 40 for it in {}",
    "I waited twenty in {}",
    "it took 3 hours to {}",
    "see you Monday in {}",
    "it got worse in {}",
    "they are in {}",
    "nice place {}",
    "so much fun {}",
]


def old_corpus():
    draw = random.Random(4)
    some = []
    for number in range(500):
        parent = f"{' '.join(draw.choices(WORDS, k=9))} {number}"
        said = " ".join(draw.sample(parent.split(), 10))
        label = draw.choice(["yes", "no"])
        reason = None if number % 2 else "too_close"
        some.append(Candidate(f"{number:032x}", f"{number + 1000:032x}", said, parent, label, reason))
    return some


def corpus(admitted, refused, more=0, variants=1):
    """Return candidates of as many originals, with what each says made of it, and all originals."""
    some, originals = [], []
    for number in range(admitted + refused + more):
        text = FAULTY[number % len(FAULTY)].format(f"x{number}a")
        originals.append(Candidate(f"o{number}", f"o{number}", text, text, "yes", None))
        if number < admitted + refused:
            reason = None if number < admitted else "word_drift"
            some += [
                Candidate(f"c{number}.{one}", f"o{number}", f"well, {text} {one}", text, "yes", reason)
                for one in range(variants)
            ]
    return some, originals


def counted(lines):
    return Counter(kind for _, kind, _ in lines)


def test_what_was_drawn_of_admitted_rows_alone_is_drawn_still():
    """The digest is of what was drawn when bad ones were made of spare admitted rows alone."""
    some = old_corpus()
    others = [Candidate(one.parent_id, one.parent_id, one.parent, one.parent, None, None) for one in some]

    lines = [(one.id, kind, said) for one, kind, said in drawn(some, others, 7)]

    assert hashlib.sha256(json.dumps(lines).encode()).hexdigest() == (
        "c4cc5954da33902bda0126407a9cf4ac6a8d31a105e3cca6989e917394948b17"
    )


@pytest.mark.parametrize(
    ("admitted", "refused", "more", "variants", "planted", "left"),
    [
        (12, 200, 0, 1, 30, 100),
        (150, 400, 0, 1, 30, 100),
        (38, 60, 60, 1, 30, 60),
        (8, 84, 0, 1, 30, 43),
        (12, 20, 0, 1, 7, 10),
        (12, 0, 100, 1, 30, 0),
        (12, 0, 1, 1, 1, 0),
        (12, 0, 0, 1, 0, 0),
        (160, 100, 0, 1, None, None),
        (170, 400, 0, 2, 30, 100),
    ],
)
def test_as_many_are_planted_as_there_are_texts_that_the_sheet_does_not_show(
    admitted, refused, more, variants, planted, left
):
    lines = drawn(*corpus(admitted, refused, more, variants), 7)

    kinds = counted(lines)
    assert kinds["admitted"] == min(150, admitted * variants)
    bad = [line for line in lines if line[1] in PLANTS]
    if planted is not None:
        assert len(bad) == planted
        assert kinds["refused"] == left
    shown = {one.parent for one, kind, _ in lines if kind not in PLANTS}
    assert not {one.parent for one, _, _ in bad} & shown
    assert len({one.parent for one, _, _ in bad}) == len(bad)
    texts = {text for one, kind, said in lines if kind not in PLANTS for text in (one.parent, said)}
    mine = [text for one, _, said in bad for text in (one.parent, said)]
    assert not texts & {*mine}
    assert len(mine) == len({*mine})


def test_the_kinds_are_as_many_as_is_asked_where_texts_have_them():
    _, originals = corpus(0, 0, 200)

    made = of_any(originals, 7)

    assert Counter(plant.kind for plant in made) == SPLIT
    assert sum(SPLIT.values()) == PLANTED
    assert [sum(SPLIT[kind] for kind in share) for share in SHARES] == [PLANTED // len(FIRST)] * 3
    assert sorted(kind for share in SHARES for kind in share) == sorted(PLANTS)


def test_kinds_of_a_share_take_the_place_of_one_that_texts_lack():
    rows = [Candidate(f"o{at}", f"o{at}", text, text, None, None) for at, text in enumerate(
        [f"they are in x{at}a" for at in range(30)] + [f"we paid 40 in x{at}b" for at in range(30)]
    )]  # fmt: skip

    made = Counter(plant.kind for plant in of_any(rows, 7))

    assert made == {"renumbered": 10, "negated": 10, "shifted": 10}


def test_only_pairs_are_left_where_texts_have_no_word_to_change():
    rows = [Candidate(f"o{at}", f"o{at}", f"so fun x{at}a", f"so fun x{at}a", None, None) for at in range(50)]

    made = of_any(rows, 7)

    assert [plant.kind for plant in made] == ["shifted"] * 25
    used = [text for plant in made for text in (plant.row.said, plant.said)]
    assert sorted(used) == sorted(one.said for one in rows)


def test_a_fault_is_in_the_candidate_and_the_original_stands_as_it_was():
    some, originals = corpus(12, 90)

    for one, kind, said in drawn(some, originals, 7):
        if kind in PLANTS:
            assert said != one.parent
            assert one.parent in {each.parent for each in originals}


def test_the_draw_does_not_hang_on_the_order_in_which_rows_come():
    some, originals = corpus(12, 90)

    assert {*drawn(some, originals, 7)} == {*drawn(some[::-1], originals, 7)}
    assert {*drawn(some, originals, 7)} != {*drawn(some, originals, 8)}
