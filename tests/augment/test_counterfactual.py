"""A row is said of another group throughout, in good English, or not at all."""

import json
import re
import shutil
import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.admission import Admission
from augment.counterfactual import Counterfactual
from augment.swaps import exchanged
from augment.terms import Axis
from corpus import apertium, lexicon
from corpus.memo import Replay
from corpus.models import Models
from corpus.morphology import analyse
from corpus.schema import ROW
from corpus.stage import Context
from tests import laws
from tests.corpora import chats, make
from tests.embedding import tiny

pytestmark = pytest.mark.skipif(
    shutil.which("apertium") is None, reason="needs apt-get install apertium apertium-eng-spa"
)
MENTIONS = lexicon.load("mentions")


@pytest.fixture
def context(tmp_path):
    return Context(7, "counterfactual", Models(tmp_path, tmp_path / "cache"), Replay(tmp_path / "replay"))


def said(rows: pa.Table) -> list[str]:
    return [row["messages"][0]["content"] for row in rows.to_pylist()]


def turned(text: str, axis: str, group: str, instead: str) -> str | None:
    (pieces,) = analyse("eng", "spa", [text])
    return exchanged(Axis(MENTIONS, axis), text, pieces, group, instead)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She likes her work.", "He likes his work."),
        ("I gave her a book, and she read it.", "I gave him a book, and he read it."),
        ("Nobody went with her.", "Nobody went with him."),
        ("I miss her so much", "I miss him so much"),
        ("I'm glad; let her go.", "I'm glad; let him go."),
        ("her very old car and her own", "his very old car and his own"),
        ("of her two sisters", "of his two brothers"),
        ("It is hers, not his.", "It is his, not hers."),
        ("a friend of his, and his friend", "a friend of hers, and her friend"),
        ("he hurt himself", "she hurt herself"),
        ("his last words, his many friends", "her last words, her many friends"),
        ("his is better and his in London too", "hers is better and hers in London too"),
        ("HE SAW HERS", "SHE SAW HIS"),
        ("She told him that he is late", "He told her that she is late"),
        ("she\u2019s here", "he\u2019s here"),
        ("The ladies' room, the women's bags", "The gentlemen's room, the men's bags"),
        ("Anna met John's wives", "Andrew met Mary's husbands"),
        ("ANNA is my mother", "ANDREW is my father"),
        ("a tall man, my boys", "a tall woman, my girls"),
        ("Mrs. Smith and the actress", "Mr. Smith and the actor"),
        ("lady gaga and she", "lady gaga and he"),
        ("@her `her` her_x http://t.co/her her@x.org #women", "@her `her` her_x http://t.co/her her@x.org #men"),
        ("\u017fhe is a girl", "\u017fhe is a boy"),
        ("<b>she</b> \u202eher\u202c", "<b>he</b> \u202ehim\u202c"),
        ("ma\u0303n man\u0303ana, she", "ma\u0303n man\u0303ana, he"),
        ("she \U0001f469\u200d\U0001f467 her \U0001f602", "he \U0001f469\u200d\U0001f467 him \U0001f602"),
        ("She's a widow among widows", "He's a widower among widowers"),
        ("the bride kissed her groom", "the groom kissed his bride"),
        ("A queen and a young prince", "A king and a young princess"),
        ("the nuns and a monk", "the monks and a nun"),
        ("Dairy Queen, Burger King and her", "Dairy Queen, Burger King and him"),
        ("nobody here", "nobody here"),
        ("", ""),
    ],
)  # fmt: skip
def test_all_that_is_said_of_one_gender_is_said_of_the_other(text, expected):
    assert turned(text, "gender", "women", "men") == expected
    assert turned(text, "gender", "men", "women") == expected


@pytest.mark.parametrize(
    "text",
    [
        "I gave her money",
        "I saw her smile",
        "you denied her AM flight",
        "his and her towels",
        'her "friend" called',
        "she is a feminist",
        "my trans woman sister",
        "well man, she won",
        "I saw Elton John and his band",
        "Beatrice says she is late",
        "the queen of Queens",
        "Prince sings of her",
        "to groom her",
        "he's a nice guy",
        "she is PREGNANT again",
        "her fianc\u00e9e",
        "his lesbian sister",
    ],
)
def test_what_cannot_be_told_or_has_no_counterpart_is_not_exchanged(text):
    assert turned(text, "gender", "women", "men") is None


@pytest.mark.parametrize(
    "sign",
    ["{name}", "{{ name }}", "<b>", "$500", "€500", "$NAME", "%s", "%(n)d", "[NAME]", "__X__", "`code`", "😂", "❤️", "®",
     "…", "—", "–", "-", "/", "&", "+", "=", "~", "|", "^", "#new", "@ann", "http://t.co/x", "www.a.org", "(", "“"],
)  # fmt: skip
def test_behind_a_sign_that_is_no_word_nobody_guesses_whose_something_is(sign):
    assert turned(f"I saw her {sign} order", "gender", "women", "men") is None
    assert turned(f"I saw his {sign} order", "gender", "men", "women") is None


@pytest.mark.parametrize("end", ["", " 😂", " 😂!", " 😂, yes", " …", " — ❤️", "...", " ®\n\nA new order"])
def test_a_sign_at_the_end_goes_on_with_nothing(end):
    assert turned(f"I like her{end}", "gender", "women", "men") == f"I like him{end}"


@pytest.mark.parametrize(
    ("text", "axis", "group", "instead", "expected"),
    [
        ("He is a Christian", "religion", "christian", "jewish", "He is a Jew"),
        ("a Christian family", "religion", "christian", "jewish", "a Jewish family"),
        ("She is Jewish", "religion", "jewish", "atheist", "She is Atheist"),
        ("A Muslim said so", "religion", "muslim", "atheist", "An Atheist said so"),
        ("Christians and Muslims", "religion", "christian", "muslim", "Muslims and Christians"),
        ("the church and the hijab", "religion", "christian", "muslim", None),
        ("her hijab", "religion", "muslim", "christian", None),
        ("an American film", "nationality", "american", "british", "a British film"),
        ("I am an American.", "nationality", "american", "british", "I am a Briton."),
        ("I am an American.", "nationality", "american", "french", None),
        ("a German film", "nationality", "german", "ukrainian", "a Ukrainian film"),
        ("he speaks German", "nationality", "german", "italian", None),
        ("American Airlines", "nationality", "american", "british", "American Airlines"),
        ("old people's homes", "age", "old", "young", "young people's homes"),
        ("my kids and young people", "age", "young", "old", "my kids and old people"),
        ("a disabled child", "disability", "disabled", "sensory", "a deaf child"),
        ("it is disabled", "disability", "disabled", "sensory", "it is disabled"),
        ("the wheelchair user", "disability", "physical", "sensory", "the blind person"),
        ("black\n  people", "ethnicity", "black", "white", "white people"),
        ("gay marriage", "orientation", "gay", "lesbian", None),
        ("he is gay", "orientation", "gay", "straight", "he is heterosexual"),
    ],
)
def test_terms_of_other_axes_agree_with_what_stands_around_them(text, axis, group, instead, expected):
    assert turned(text, axis, group, instead) == expected


@pytest.mark.parametrize(
    ("text", "axis", "group", "instead"),
    [
        ("young people and seniors do not agree", "age", "young", "old"),
        ("young people of 20 years old", "age", "young", "old"),
        ("old people in a nursing\nhome", "age", "old", "young"),
        ("The nun prayed in her church", "religion", "christian", "muslim"),
        ("a Muslim at Christmas", "religion", "muslim", "hindu"),
        ("the deaf man knows sign language", "disability", "sensory", "cognitive"),
    ],
)
def test_of_an_axis_of_which_a_word_has_nothing_that_stands_for_it_nothing_is_exchanged(
    text, axis, group, instead
):
    assert turned(text, axis, group, instead) is None


def test_what_is_part_of_a_term_a_link_or_code_is_no_word_that_nothing_stands_for():
    text = "the blind person, http://t.co/blind, @blind and `blind`"
    expected = "the wheelchair user, http://t.co/blind, @blind and `blind`"

    assert turned(text, "disability", "sensory", "physical") == expected


def test_what_nothing_stands_for_has_nothing_that_stands_for_it():
    for name, words in MENTIONS.growth.unpaired.items():
        slots = (*MENTIONS.swaps.get(name, ()), *MENTIONS.growth.swaps.get(name, ()))
        terms = {term for slot in slots for term in slot.values()}
        terms |= {term for group in MENTIONS.axes[name].values() for term in group}

        assert terms.isdisjoint(words)
        assert len({*words}) == len(words)


ONE_TO_ONE = [
    "he",
    "She",
    "my wife",
    "THE SONS",
    "aunt",
    "uncle",
    "the girls'",
    "\u202e",
    "a",
    "`she`",
    "😂",
    "\n",
    "the sons' men",
]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(ONE_TO_ONE), max_size=12).map(", ".join))
def test_what_is_exchanged_twice_is_what_it_was(text):
    once = turned(text, "gender", "women", "men")

    assert once is not None
    assert turned(once, "gender", "women", "men") == text
    words = re.findall(
        r"(?<!`)\b(he|she|wife|husband|sons|daughters|men|women|aunt|uncle|girls|boys)\b", text.lower()
    )
    assert (once == text) == (not words)


def test_given_names_are_of_one_gender_to_apertiums_grammar_and_nothing_else():
    before, _, _ = apertium.pipeline("eng", "spa")
    names = [
        (name.capitalize(), gender)
        for slot in MENTIONS.growth.names["gender"]
        for gender, name in slot.items()
    ]

    read = apertium.run(before, [name for name, _ in names])

    tags = {"women": "f", "men": "m"}
    assert [one.split("$")[0] for one in read] == [
        f"^{name}/{name}<np><ant><{tags[gender]}><sg>" for name, gender in names
    ]
    assert len({name for name, _ in names}) == len(names)


TEXTS = [
    "my sister says she is late again",
    "the mosque and the church are old ones",
    "nobody of any kind is here today",
    "an American film about old people there",
]


class TestStage:
    def test_a_candidate_names_its_parent_and_what_was_exchanged(self, context):
        rows = make(TEXTS)

        grown = Counterfactual(axes=("gender",)).grow(rows, context)

        assert grown.schema == ROW
        assert said(grown) == ["my brother says he is late again"]
        (row,) = grown.to_pylist()
        (parent,) = [
            one["id"] for one in rows.to_pylist() if one["messages"][0]["content"] == TEXTS[0]
        ]  # fmt: skip
        assert (row["parent"], row["operation"]) == (parent, "counterfactual")
        told = json.loads(row["extra"])["grown"]
        assert told["near"] is True
        assert told["parameters"] == {
            "axis": "gender",
            "group": "women",
            "instead": "men",
            "lexicon": "mentions",
            "seed": 7,
        }
        assert told["licence"] == "exchanged by the lexicon mentions (Apache-2.0)"

    def test_variants_are_drawn_from_all_that_can_be_said(self, context):
        rows = make(TEXTS[3:])

        few, many = (Counterfactual(variants=count).grow(rows, context) for count in (3, 100))

        assert len(few) == 3
        groups = Axis(MENTIONS, "nationality").groups
        expected = {
            f"{'an' if one[0] in 'aei' else 'a'} {one.capitalize()} film about old people there"
            for one in groups
            if one != "american"
        }
        assert {*said(many)} == expected | {"an American film about young people there"}
        assert {*said(few)} <= {*said(many)}
        assert len({*many["id"].to_pylist()}) == len(many)

    def test_targets_say_of_whom(self, context):
        stage = Counterfactual(
            axes=("nationality",), targets={"nationality": ("german", "french")}, variants=9
        )

        grown = said(stage.grow(make(TEXTS[3:]), context))

        assert sorted(grown) == [
            "a French film about old people there",
            "a German film about old people there",
        ]

    def test_both_groups_of_an_axis_are_one_exchange(self, context):
        stage = Counterfactual(axes=("religion",), targets={"religion": ("muslim",)}, variants=9)

        assert said(stage.grow(make(TEXTS[1:2]), context)) == ["the church and the mosque are old ones"]

    def test_a_conversation_is_said_of_the_other_throughout(self, context):
        rows = chats(
            [("system", "help"), ("user", "my sister is ill"), ("assistant", "yes"), ("user", "and she is sad")],
            [("user", "my sister is ill again"), ("assistant", "Is she?")],
            [("user", "my sister and what he gave her money for"), ("assistant", "I see")],
            [("user", "my sister said so to me"), ("assistant", "What a guy")],
        )  # fmt: skip

        asked = Counterfactual(axes=("gender",)).grow(rows, context)
        both = Counterfactual(axes=("gender",), roles=None).grow(rows, context)

        assert [[one["content"] for one in row["messages"]] for row in asked.to_pylist()] == [
            ["help", "my brother is ill", "yes", "and he is sad"]
        ]
        assert ["my brother is ill again", "Is he?"] in [
            [one["content"] for one in row["messages"]] for row in both.to_pylist()
        ]
        assert len(both) == 2

    def test_a_candidate_does_not_depend_on_the_part_that_its_parent_lies_in(self, context, tmp_path):
        stage = Counterfactual(variants=2)
        rows = make([*TEXTS, *(f"{text} and more" for text in TEXTS)])
        apart = [
            stage.grow(
                rows.slice(at, 1), Context(7, "other", context.models, Replay(tmp_path / str(at)))
            )
            for at in range(len(rows))
        ]  # fmt: skip

        whole = stage.grow(rows, context)

        assert pa.concat_tables(apart).equals(whole)
        files = set((tmp_path / "replay").rglob("*.parquet"))
        assert stage.grow(rows, context).equals(whole)
        assert set((tmp_path / "replay").rglob("*.parquet")) == files
        assert not stage.grow(rows, Context(8, "other", context.models, context.replay)).equals(whole)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", []),
            ("\x00\x00 \x00 a b", []),
            ("a girl \x00 saw her \x00", ["a boy \x00 saw him \x00"]),
            ("\U0001f602 \U0001f469\u200d\U0001f467 \U0001f602 \U0001f602", []),
            ("http://t.co/she http://t.co/her www.women.org/he x@women.org", []),
            ("```\nshe = her + him\n``` `he` of it", []),
            ("\u017fhe \u017fhe \u017fhe \u017fhe", []),
            ("<script>alert('she')</script> ^he/x$ y \\", ["<script>alert('he')</script> ^she/x$ y \\"]),
            ("\u202eshe\u202c said \u2066he\u2069 did", ["\u202ehe\u202c said \u2066she\u2069 did"]),
        ],
    )
    def test_hostile_rows_are_survived(self, text, expected, context):
        grown = said(Counterfactual(variants=3).grow(make([text, TEXTS[0]]), context))

        assert sorted(grown) == sorted([*expected, "my brother says he is late again"])

    def test_a_row_of_ten_thousand_words_takes_seconds(self, context):
        text = "she said that her sister had seen him near the old church . " * 800

        began = time.perf_counter()
        grown = Counterfactual(max_words=20_000, axes=("gender",)).grow(make([text]), context)

        assert said(grown) == ["he said that his brother had seen her near the old church . " * 800]
        assert time.perf_counter() - began < 20

    def test_no_rows_grow_nothing(self, context):
        assert Counterfactual().grow(make([]), context).equals(ROW.empty_table())
        assert Counterfactual().grow(make(TEXTS[2:3]), context).equals(ROW.empty_table())

    def test_growth_near_its_parents_is_admitted_and_obeys_the_laws(self, tmp_path):
        stages = [
            Counterfactual(variants=2, min_words=1),
            Admission(embedding=tiny(tmp_path), min_similarity=-1, min_word_similarity=None, min_chrf=0),
        ]
        rows = make([*TEXTS, "", "😂", "she"], splits=["train"] * 5 + [None, "test"])

        outcome = laws.sent(rows, stages)

        assert outcome.grown == 5
        assert outcome.ledger["reason"].to_pylist() == []
        laws.conservation(stages, rows)
        laws.lineage(stages, rows)
        laws.parts(stages, rows)
        assert laws.sent(rows, stages, part_rows=2, workers=2).fates() == outcome.fates()


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"axes": ("gendre",)}, "gendre"),
        ({"targets": {"gender": ("wimmin",)}}, "gender=wimmin"),
        ({"targets": {"size": ("big",)}}, "size"),
        ({"lexicon": "nowhere"}, "nowhere"),
    ],
)
def test_what_the_lexicon_has_not_is_refused_by_name(knobs, told):
    with pytest.raises(ValidationError, match=told):
        Counterfactual(**knobs)


def test_a_lexicon_of_another_language_is_refused(tmp_path):
    file = tmp_path / "de.yaml"
    file.write_text(
        "{name: de, licence: CC0-1.0, origin: here, caution: none, language: de, axes: {gender: {women: [sie], men: [er]}},"
        " swaps: {gender: [{women: sie, men: er}]}}"
    )

    with pytest.raises(ValidationError, match="English alone"):
        Counterfactual(lexicon=str(file))


def test_a_version_knows_what_the_lexicon_holds(tmp_path):
    file = tmp_path / "own.yaml"
    told = []
    for other in ("him", "he"):
        file.write_text(
            "{name: own, licence: CC0-1.0, origin: here, caution: none, axes: {gender: {women: [she], men: [he, him]}},"
            f" swaps: {{gender: [{{women: she, men: {other}}}]}}}}"
        )
        told.append(Counterfactual(lexicon=str(file)).identity(Models(tmp_path, tmp_path))["lexicon"])

    assert told[0]["name"] == told[1]["name"] == "own"
    assert told[0]["digest"] != told[1]["digest"]
