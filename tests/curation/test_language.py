"""A row goes only where the model is sure that it is in another language."""

import pytest
from pydantic import ValidationError

from curation.language import Language
from tests.corpora import make

ENGLISH = "Thanks for the quick reply, the crew was wonderful today"
SPANISH = "Muchas gracias por la respuesta, la tripulación fue maravillosa"
SHOUTED = "YO I DIDNT TOUCH MY PHONE AT ALL AND IT WENT DOWN RIGHT WHEN I DISCONNECTED IT FROM THE CHARGER"


def judged(texts: list[str], stage: Language) -> dict[str, tuple[str | None, str | None]]:
    rows = make(texts)
    verdict = stage.judge(stage.measure(rows, None), None)
    found = [messages[0]["content"] for messages in rows["messages"].to_pylist()]
    return dict(
        zip(found, zip(verdict.reason.to_pylist(), verdict.detail.to_pylist(), strict=True), strict=True)
    )


def test_another_language_goes_and_is_named():
    assert judged([ENGLISH, SPANISH], Language()) == {
        ENGLISH: (None, None),
        SPANISH: ("wrong_language", "es"),
    }


def test_every_wanted_language_stays():
    assert judged([ENGLISH, SPANISH], Language(languages=("en", "es"))) == {
        ENGLISH: (None, None),
        SPANISH: (None, None),
    }


def test_short_rows_links_and_handles_decide_nothing():
    assert judged(["Muchas gracias", "@tripulacion #maravillosa http://t.co/respuesta", ""], Language()) == {
        "Muchas gracias": (None, None),
        "@tripulacion #maravillosa http://t.co/respuesta": (None, None),
        "": (None, None),
    }
    assert judged(["Muchas gracias"], Language(min_letters=0))["Muchas gracias"] == ("wrong_language", "es")


def test_shouted_english_stays():
    features = Language().measure(make([SHOUTED]), None).to_pylist()[0]

    assert features["language"] != "en"
    assert judged([SHOUTED], Language()) == {SHOUTED: (None, None)}


def test_a_long_text_is_read_to_its_end_across_lines():
    text = f"{SPANISH}\n" + f"{ENGLISH}. " * 40

    assert judged([text], Language()) == {text: (None, None)}


def test_the_threshold_is_of_the_score_and_needs_no_new_measuring():
    rows = make([SPANISH])
    features = Language().measure(rows, None)
    score = features["score"][0].as_py()

    verdicts = [Language(min_score=limit).judge(features, None) for limit in (score, min(1.0, score + 1e-6))]

    assert [verdict.reason.to_pylist() for verdict in verdicts] == [["wrong_language"], [None]]
    assert verdicts[0].score.to_pylist() == [score]


def test_features_tell_how_likely_a_wanted_language_is():
    rows = make([ENGLISH, SPANISH])

    features = {line["language"]: line for line in Language().measure(rows, None).to_pylist()}

    assert features["en"]["wanted"] == features["en"]["score"] > 0.5
    assert features["es"]["wanted"] < 0.1
    assert features["en"]["letters"] == sum(letter.isalpha() for letter in ENGLISH)


@pytest.mark.parametrize("languages", [(), ("english",)])
def test_languages_that_the_model_does_not_know_are_errors(languages):
    with pytest.raises(ValidationError, match="language needs"):
        Language(languages=languages)


def test_the_score_told_is_that_of_another_language():
    rows = make([ENGLISH, SPANISH])
    stage = Language()
    features = stage.measure(rows, None)

    scores = stage.judge(features, None).score.to_pylist()

    assert [score is None for score in scores] == [
        language == "en" for language in features["language"].to_pylist()
    ]
    assert sum(score is not None for score in scores) == 1
