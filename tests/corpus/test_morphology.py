"""Words are read as a grammar knows them, each text by itself, and nothing of a text is lost on the way."""

import random
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import apertium
from corpus.morphology import Word, analyse, generate
from corpus.piecewise import BrokenError
from corpus.schema import UserError

pytestmark = pytest.mark.skipif(
    shutil.which("apertium") is None, reason="needs apt-get install apertium apertium-eng-spa"
)

TEXTS = [
    "She was buying her dogs, and don't bark at him.",
    "Google's self-driving car!  @ YouTube [HQ] ^b^ $5 </b>",
    "@united thanks, keep up the good work",
    "the power of @Apple 's strong branding",
    "",
    "  \n",
    "one line\nanother line.\n\nand a paragraph",
    "日本 👍🏽 \\ ~ { }",
]


def words(text):
    (pieces,) = analyse("eng", "spa", [text])
    return {piece.surface: piece for piece in pieces if isinstance(piece, Word)}


def surface(pieces):
    return "".join(piece if isinstance(piece, str) else piece.surface for piece in pieces)


def test_a_word_is_told_by_lemma_and_inflection_and_by_what_it_is_here():
    found = words("She was buying her largest dogs and saw her.")

    assert (found["buying"].lemma, found["buying"].tags) == ("buy", ("vblex", "ger"))
    assert (found["largest"].lemma, found["largest"].tags) == ("large", ("adj", "sint", "sup"))
    assert (found["dogs"].lemma, found["dogs"].tags) == ("dog", ("n", "pl"))
    assert words("her dogs bark")["her"].tags[:2] == ("det", "pos")


def test_words_of_several_parts_and_unknown_ones_have_no_lemma():
    found = words("thx, I don't")

    assert found["thx"] == Word("thx", ())
    assert [lemma for lemma, _ in found["don't"].parts] == ["do", "not"]
    assert found["don't"].lemma == ""


def test_a_text_comes_back_to_the_character():
    assert [surface(pieces) for pieces in analyse("eng", "spa", TEXTS)] == TEXTS


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(st.sampled_from("^$/[]{}<>\\@~*#+ \n'.,aIé👍\u2028\ufdd0"), max_size=12), max_size=6))
def test_any_text_does(texts):
    # A text with what stands for the stream's own characters cannot be read, and is one piece.
    told = [surface(pieces) for pieces in analyse("eng", "spa", texts)]

    assert told == texts


def test_a_reading_does_not_depend_on_its_neighbours():
    alone = [analyse("eng", "spa", [text])[0] for text in TEXTS]
    order = random.Random(7).sample(range(len(TEXTS)), len(TEXTS))

    assert analyse("eng", "spa", TEXTS) == alone
    assert analyse("eng", "spa", [TEXTS[place] for place in order]) == [alone[place] for place in order]


def test_a_lemma_takes_the_form_that_is_asked_for():
    asked = [
        ("purchase", ("vblex", "ger")),
        ("child", ("n", "pl")),
        ("blarg", ("n", "pl")),
        ("a^b", ("n", "sg")),
    ]

    assert generate("eng", "spa", asked) == ["purchasing", "children", None, None]
    assert generate("eng", "spa", []) == []


def test_a_pair_that_is_not_installed_says_which_are():
    with pytest.raises(UserError, match=r"write one that is installed \(.*eng-spa"):
        analyse("eng", "xyz", ["a"])


def test_what_breaks_apertium_is_read_by_nobody_and_its_neighbours_are(monkeypatch):
    texts, words = ["the old houses", "DIE here", "two dogs"], [("house", ("n", "pl")), ("DIE", ("n", "pl"))]
    sound, written = analyse("eng", "spa", [texts[0], texts[2]]), generate("eng", "spa", words[:1])
    run = apertium.run

    def breaking(command: str, some: list[str]) -> list[str]:
        if any("DIE" in one for one in some):
            raise BrokenError("it died")
        return run(command, some)

    monkeypatch.setattr(apertium, "run", breaking)

    assert analyse("eng", "spa", texts) == [sound[0], ["DIE here"], sound[1]]
    assert generate("eng", "spa", words) == [*written, None] == ["houses", None]


def test_who_answers_nothing_any_more_takes_no_text_for_one_that_nobody_can_read(monkeypatch):
    def dead(command: str, some: list[str]) -> list[str]:
        raise BrokenError("it died")

    monkeypatch.setattr(apertium, "run", dead)

    with pytest.raises(UserError, match="it died; not even 'a' is answered"):
        analyse("eng", "spa", ["two dogs"])
    with pytest.raises(UserError, match="it died; not even 'a' is answered"):
        generate("eng", "spa", [("house", ("n", "pl"))])
