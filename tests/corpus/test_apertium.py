"""Apertium translates a text by itself, and gives back what it was not asked to translate."""

import random
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import apertium
from corpus.models import Models
from corpus.morphology import analyse
from corpus.pipes import KEPT
from corpus.schema import UserError

pytestmark = pytest.mark.skipif(
    shutil.which("apertium") is None, reason="needs apt-get install apertium apertium-eng-spa"
)

TEXTS = [
    "I love this house.",
    "@southwestair u have a lot of pissed off hungry people",  # a class that the tagger's model lacks
    "First time tried on phone awesome",  # tagged otherwise behind the one before
    "@united thanks, keep up the good work",
    "Thanks",
    "",
    "  two  spaces ",
    "one line\nanother line.\n\nand a paragraph",
    "Apple fixed it",
    "the tacky way they are using it shows the arrogance they have",
    "^ $ / [x] {y} <b> \\ @ ~",
    "^",
    "日本 👍🏽",
]
SPECIAL = "^$/[]{}<>\\@~"
OTHER_PAIRS = [
    ("eng", "cat", "apertium-eng-cat"),
    ("cat", "eng", "apertium-eng-cat"),
    ("en", "gl", "apertium-en-gl"),
    ("gl", "en", "apertium-en-gl"),
    ("en", "eo", "apertium-eo-en"),
    ("eo", "en", "apertium-eo-en"),
]
SENTENCES = {
    "eng": "I love this house, and the others too.",
    "en": "I love this house, and the others too.",
    "cat": "Estimo aquesta casa, i les altres també.",
    "gl": "Amo esta casa, e as outras tamén.",
    "eo": "Mi amas ĉi tiun domon, kaj la aliajn ankaŭ.",
}


def translated(texts: list[str], source: str = "eng", target: str = "spa") -> list[str]:
    return apertium.translate(source, target, pa.array(texts, pa.string())).to_pylist()


def test_a_sentence_is_translated():
    assert translated(["The house is big."]) == ["La casa es grande."]
    assert translated(["La casa es grande."], "spa", "eng") == ["The house is big."]


@pytest.mark.parametrize("pair", [("eng", "spa"), ("spa", "eng")])
def test_a_translation_does_not_depend_on_its_neighbours(pair):
    alone = [translated([text], *pair)[0] for text in TEXTS]
    order = random.Random(7).sample(range(len(TEXTS)), len(TEXTS))

    assert translated(TEXTS, *pair) == alone
    assert translated([TEXTS[place] for place in order], *pair) == [alone[place] for place in order]


PHRASES = [
    "a lot of",
    "known",
    "till",
    "I",
    "Here ya go",
    "SOOOO excited for",
    "Xqza",
    "the house",
    "right now",
]
"""Some of unseen classes, two that make the open class another one, and unknown words that are tagged otherwise behind them."""


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(st.sampled_from(PHRASES), max_size=4).map(" ".join), min_size=10, max_size=40))
def test_texts_that_share_a_tagger_are_tagged_as_by_their_own(texts):
    before, tagger, _ = apertium.pipeline("eng", "spa")
    analysed = apertium.run(before, texts)

    alone = {text: apertium.run_anew(tagger, [text])[0] for text in {*analysed}}

    assert apertium.tag(tagger, analysed) == [alone[text] for text in analysed]
    assert apertium.tag(tagger, analysed[::-1]) == [alone[text] for text in analysed[::-1]]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.lists(st.sampled_from(PHRASES), max_size=4).map(" ".join), min_size=2, max_size=40), st.data()
)
def test_what_the_detector_finds_in_a_text_does_not_depend_on_what_it_was_asked_before(texts, data):
    before, tagger, _ = apertium.pipeline("eng", "spa")
    analysed = apertium.run(before, texts)
    order = data.draw(st.permutations(range(len(texts))))

    each = [apertium.unseen_words(tagger, [text]) for text in analysed]

    assert apertium.unseen_words(tagger, analysed) == [found for one in each for found in one]
    assert apertium.unseen_words(tagger, [analysed[place] for place in order]) == [
        found for place in order for found in each[place]
    ]


def test_texts_have_taggers_of_their_own_where_what_is_said_of_their_words_cannot_be_read(tmp_path):
    before, tagger, _ = apertium.pipeline("eng", "spa")
    analysed = apertium.run(before, PHRASES)
    detector = tmp_path / "apertium-tagger"
    detector.write_text(
        '#!/bin/sh\n[ "$1" != -d ] || { echo "A new ambiguity class was found. And so on." >&2; exec cat; }\n'
        f'echo $$ >> {tmp_path}/begun; exec apertium-tagger "$@"\n'
    )
    detector.chmod(0o755)
    alone = [apertium.run_anew(tagger, [text])[0] for text in analysed]

    told = apertium.tag(tagger.replace("apertium-tagger", str(detector), 1), analysed)

    assert told == alone
    assert len((tmp_path / "begun").read_text().split()) == len(PHRASES)


@pytest.mark.parametrize("pair", [("eng", "spa"), ("spa", "eng")])
def test_a_text_is_translated_as_by_a_pipeline_of_its_own_whatever_was_asked_before(pair):
    chance = random.Random(11)
    alone = {}
    for text in TEXTS:
        KEPT.end()
        alone[text] = translated([text], *pair)[0]

    for _ in range(20):
        texts = chance.choices(TEXTS, k=chance.randrange(1, 30))
        assert translated(texts, *pair) == [alone[text] for text in texts]


def test_translations_and_readings_share_what_is_kept_and_do_not_disturb_one_another():
    there, read = translated(TEXTS), analyse("eng", "spa", TEXTS)

    for _ in range(3):
        assert analyse("eng", "spa", TEXTS[::-1]) == read[::-1]
        assert translated(TEXTS[::-1]) == there[::-1]


@pytest.mark.parametrize(("source", "target", "package"), OTHER_PAIRS)
def test_the_other_pairs_keep_to_themselves_what_they_are_sent(source, target, package):
    try:
        apertium.mode(source, target)
    except UserError:
        pytest.skip(f"needs apt-get install {package}")
    texts = [
        *TEXTS,
        SENTENCES[source],
        "APPLE Intraday Comments - Pre-Opening - PREMIUM USERS",  # a rule of eng-cat moves a space behind the end
    ]
    order = random.Random(7).sample(range(len(texts)), len(texts))

    whole = translated(texts, source, target)

    assert None not in whole
    assert whole[-2] not in {texts[-2], ""}
    assert not any("[]" in text for text in whole)
    assert [translated([texts[place]], source, target)[0] for place in (1, 2, -1)] == [
        whole[place] for place in (1, 2, -1)
    ]
    assert translated([texts[place] for place in order], source, target) == [whole[place] for place in order]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.text(
            st.sampled_from([*SPECIAL, "*", "#", " ", "\n", "a", "I", "'", ".", "é", "👍", "\u2028"]),
            max_size=12,
        ),
        min_size=1,
        max_size=40,
    )
)
def test_special_characters_come_back_in_order(texts):
    answers = translated(texts)

    assert [[sign for sign in text if sign in SPECIAL] for text in answers] == [
        [sign for sign in text if sign in SPECIAL] for text in texts
    ]


def test_white_space_around_and_between_stays_and_no_other_comes():
    assert translated(["  I love it ", "I love it", " \n ", "I see\nthe house"]) == [
        "  Lo quiero ",
        "Lo quiero",
        " \n ",
        "Veo\nla casa",
    ]


def test_unknown_words_pass_without_marks():
    assert translated(["Xqza"]) == ["Xqza"]


def test_a_missing_pair_says_what_is_installed_and_where_to_look(tmp_path):
    models = Models(tmp_path, tmp_path)

    with pytest.raises(
        UserError, match=r"installed \(.*eng-spa, .*spa-eng\), or look with `apt-cache search"
    ):
        models.translate("apertium:eng-xyz", pa.array(["hello"]))


def test_missing_apertium_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UserError, match="apt-get install apertium, and the package of the pair eng-spa"):
        apertium.revision("eng", "spa")


def test_the_revision_names_version_and_data(tmp_path):
    models = Models(tmp_path, tmp_path)

    there, back = (
        models.engine_revision("apertium:eng-spa"),
        models.engine_revision("apertium:spa-eng"),
    )

    assert there.startswith("Apertium 3.")
    assert there != back


@pytest.mark.skipif(
    not Path("/usr/share/apertium/modes/en-eo.mode").exists(), reason="needs apt-get install apertium-eo-en"
)
def test_a_quotation_mark_that_a_rule_moved_comes_back_without_the_brackets_of_the_stream():
    through = translated(["Government Attempts 'Hail Mary' Get [x] Unlock"], "en", "eo")

    (back,) = translated(through, "eo", "en")

    assert "'Hello Mary'" in back
    assert "[x]" in back
