"""A row is said in other words: what is exchanged means the same, in its form, and nothing else changes."""

import json
import re
import shutil
import string

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from augment import synonyms, wordnet
from augment.edits import edited
from augment.masks import mask
from augment.paraphrase import Paraphrase
from corpus.memo import Replay
from corpus.models import Models
from corpus.schema import ROW, UserError, grown_id
from corpus.stage import Context
from tests.corpora import make

reads = pytest.mark.skipif(
    shutil.which("apertium") is None or not (wordnet.FOLDER / "data.noun").exists(),
    reason="needs apt-get install apertium apertium-eng-spa wordnet-base",
)
TEXTS = [
    "@united we bought the largest movies of 2019 http://t.co/aB1",
    "Perhaps an auto begins quickly, and my car does not",
    "Thanks",
    "",
    "the crew was there and here",
]


@pytest.fixture
def context(tmp_path):
    return Context(7, "paraphrase", Models(tmp_path, tmp_path / "cache"), Replay(tmp_path / "replay"))


def said(rows: pa.Table) -> list[str]:
    return [row["messages"][0]["content"] for row in rows.to_pylist()]


class TestSynonyms:
    pytestmark = reads

    def test_a_word_has_synonyms_of_its_commonest_sense_where_that_is_clear(self):
        assert [one.lemma for one in wordnet.synonyms("buy", "v", frozenset())] == ["purchase"]
        assert [one.lemma for one in wordnet.synonyms("movie", "n", frozenset())] == [
            "film",
            "motion picture",
        ]

    def test_a_word_of_many_senses_has_none_unless_the_text_tells_which(self):
        assert wordnet.synonyms("fix", "v", frozenset()) == []
        told = wordnet.synonyms("fix", "v", frozenset({"door", "firmly", "attached"}))
        assert [one.lemma for one in told] == ["fasten"], "secure is said of other things more often"

    def test_a_synonym_is_used_in_that_sense_more_than_in_its_others(self):
        assert "machine" not in [one.lemma for one in wordnet.synonyms("car", "n", frozenset())]
        assert "car" in [one.lemma for one in wordnet.synonyms("automobile", "n", frozenset())]

    def test_names_and_unknown_words_have_none(self):
        assert wordnet.synonyms("xyzzy", "n", frozenset()) == []
        assert all(one.lemma.islower() for one in wordnet.synonyms("dog", "n", frozenset()))

    def test_words_keep_their_form_their_capitals_and_their_article(self):
        (read,) = synonyms.readable(["Movies of a car: we bought the LARGEST and biggest."])

        assert {words[0][0] for words in read.options.values()} >= {"films", "purchased"}
        whole = read.said(1.0, np.random.default_rng(0))
        assert whole.startswith(("Films of", "Motion pictures of"))
        assert "LARGEST" in whole
        assert re.search(r" a (?:car|motorcar):| an (?:auto|automobile):", whole)

    def test_a_text_without_such_words_comes_back(self):
        (read,) = synonyms.readable(["xyzzy and the of"])

        assert read.options == {}
        assert read.said(1.0, np.random.default_rng(0)) == "xyzzy and the of"

    def test_a_share_of_them_is_exchanged_and_one_at_least(self):
        text = "We bought the largest movies and an auto began quickly"
        (read,) = synonyms.readable([text])

        def changed(share):
            told = read.said(share, np.random.default_rng(1))
            return sum(
                one != other
                for one, other in zip(text.split(), told.replace("motion ", "").split(), strict=True)
            )

        assert changed(0.01) in (1, 2), "an article may go along"
        assert changed(1.0) >= 5

    def test_without_wordnet_it_says_what_to_install(self, tmp_path):
        with pytest.raises(UserError, match="apt-get install wordnet-base"):
            wordnet.ready(tmp_path / "nowhere")


class TestStage:
    pytestmark = reads

    def test_each_row_of_enough_words_has_its_variants_one_behind_the_other(self, context):
        rows = make(TEXTS)
        long = [row["id"] for row in rows.to_pylist() if len(row["messages"][0]["content"].split()) >= 4]

        grown = Paraphrase(variants=3).grow(rows, context)

        assert grown.schema == ROW
        assert grown["parent"].to_pylist() == [parent for parent in long for _ in range(3)]
        told = [json.loads(extra)["grown"] for extra in grown["extra"].to_pylist()]
        assert [one["n"] for one in told] == [0, 1, 2] * 3
        assert {one["engine"] for one in told} == {"wordnet"}
        assert {one["parameters"]["share"] for one in told} == {0.6}
        assert {one["licence"] for one in told} == {
            "made with WordNet 3.0 (WordNet License, Princeton University)"
        }
        assert len(set(grown["id"].to_pylist())) == 9

    def test_what_a_translator_must_not_touch_is_not_touched(self, context):
        grown = said(Paraphrase(variants=4, share=1.0).grow(make(TEXTS[:1]), context))

        assert all(
            text.startswith("@united ") and text.endswith(" of 2019 http://t.co/aB1") for text in grown
        )

    def test_a_row_that_cannot_be_said_otherwise_is_returned_for_admission_to_refuse(self, context):
        assert said(Paraphrase().grow(make(TEXTS[4:]), context)) == TEXTS[4:]

    @pytest.mark.parametrize("engine", ["wordnet", "edits"])
    def test_a_candidate_does_not_depend_on_the_part_that_its_parent_lies_in(self, context, tmp_path, engine):
        stage = Paraphrase(engine=engine, variants=2)
        rows = make([f"{text} and number {number} more" for number, text in enumerate(TEXTS)])
        apart = [
            stage.grow(
                rows.slice(at, 1), Context(7, "paraphrase", context.models, Replay(tmp_path / str(at)))
            )
            for at in range(len(rows))
        ]

        assert pa.concat_tables(apart).equals(stage.grow(rows, context))

    def test_another_seed_draws_otherwise_and_the_same_is_replayed(self, context, tmp_path):
        stage, rows = Paraphrase(engine="edits"), make(TEXTS[:2])
        once = stage.grow(rows, context)
        files = set((tmp_path / "replay").rglob("*.parquet"))

        assert stage.grow(rows, context).equals(once)
        assert set((tmp_path / "replay").rglob("*.parquet")) == files
        other = stage.grow(rows, Context(8, "paraphrase", context.models, context.replay))
        assert said(other) != said(once)
        assert set(other["id"].to_pylist()).isdisjoint(once["id"].to_pylist())

    def test_rows_that_were_made_before_there_were_other_kinds_keep_their_ids(self, context):
        (row,) = (
            Paraphrase(engine="edits", kinds=("typo", "delete", "swap"))
            .grow(make(TEXTS[:1]), context)
            .to_pylist()
        )
        made = json.loads(row["extra"])["grown"]

        assert row["id"] == grown_id(row["parent"], "paraphrase", ("edits", "share=0.6", "seed=7"), 0)
        assert made["parameters"] == {"share": 0.6, "seed": 7}
        assert made["label_risk"] == "swap, delete, typo: by chance, whatever the words mean"

    def test_other_kinds_of_edits_make_other_rows(self, context):
        rows, kinds = make(TEXTS[:2]), ("swap", "delete", "typo", "insert")
        usual = Paraphrase(engine="edits").grow(rows, context)

        grown = Paraphrase(engine="edits", kinds=kinds[::-1]).grow(rows, context)

        made = [json.loads(extra)["grown"] for extra in grown["extra"].to_pylist()]
        assert {one["parameters"]["kinds"] for one in made} == {"+".join(kinds)}
        assert {one["label_risk"] for one in made} == {
            f"{', '.join(kinds)}: by chance, whatever the words mean"
        }
        assert set(grown["id"].to_pylist()).isdisjoint(usual["id"].to_pylist())
        assert said(grown) != said(usual)
        assert grown.equals(Paraphrase(engine="edits", kinds=kinds).grow(rows, context))

    def test_kinds_are_of_edits_alone(self):
        with pytest.raises(ValidationError, match="kinds is of no use to the engine wordnet"):
            Paraphrase(kinds=("insert",))
        with pytest.raises(ValidationError, match="kinds is of no use to the engine model"):
            Paraphrase(engine="model+file:x", kinds=("insert",))
        with pytest.raises(ValidationError, match="at least 1 item"):
            Paraphrase(engine="edits", kinds=())

    def test_no_rows_grow_nothing(self, context):
        assert Paraphrase().grow(make([]), context).equals(ROW.empty_table())
        assert Paraphrase().grow(make(["", "one", "😂 😂 😂 😂 😂"][:2]), context).equals(ROW.empty_table())


hostile = st.text(st.sampled_from("ab not12\n\t <>&^$😂日don'té\u202e\u2028.NO"), max_size=60)


USUALLY = [
    "crew was and we here, piad 40 for a flight wnoderful to Bsoton",
    "was there hree, we piad 40 a for flight wonderful to Bosotn",
    "crew there was and here, paid we 40 for a wondefrul Boston",
]


class TestEdits:
    @given(hostile, st.floats(0.01, 1), st.integers(0, 50))
    def test_no_negation_number_or_shouted_word_is_lost(self, text, share, seed):
        kept = r"(?i)\b(?:no|not|never)\b|\w+n't|\S*\d\S*"

        told = edited(text, share, np.random.default_rng(seed))

        assert sorted(re.findall(kept, told)) == sorted(re.findall(kept, text))

    @given(hostile, st.integers(0, 50))
    def test_letters_may_change_places_and_words_go_but_nothing_comes(self, text, seed):
        told = edited(text, 0.5, np.random.default_rng(seed))

        left = sorted(text)
        for letter in told:
            left.remove(letter)

    def test_what_is_masked_comes_back(self):
        masked = mask("we paid 40 of 60 to @ann and @bob, see http://t.co/x for all of 3 flights")

        told = [masked.restore(edited(masked.text, 1.0, np.random.default_rng(seed))) for seed in range(50)]

        assert not any(lost for _, lost in told)

    def test_edits_are_as_many_as_asked(self):
        text = " ".join(f"word{chr(97 + at)}" for at in range(20))

        few, many = (edited(text, share, np.random.default_rng(3)) for share in (0.05, 1.0))

        assert sum(word not in few.split() for word in text.split()) <= 1
        assert many.split() != text.split()
        assert 2 <= len(many.split()) <= 20

    @given(hostile, st.floats(0.01, 1), st.integers(0, 50))
    def test_what_is_inserted_is_a_word_of_the_text_and_all_else_stays(self, text, share, seed):
        words = text.split()

        told = edited(text, share, np.random.default_rng(seed), ["insert"]).split()

        left, more = iter(told), len(told) - len(words)
        typed = {"".join(sorted(word)) for word in words}
        free = {"".join(sorted(word.strip(string.punctuation))) for word in words}
        assert 0 <= more <= max(1, round(share * len(words)))
        assert {"".join(sorted(word)) for word in told} <= typed | free
        assert more == 0 or all(word in left for word in words), "the words of the text stand in their order"
        for kept in (r"(?i)^(?:no|not|never|\w+n't)$", r"\d", r"^[A-Z]{2,}$"):
            assert sum(bool(re.search(kept, word)) for word in told) == sum(
                bool(re.search(kept, word)) for word in words
            )

    def test_a_word_is_inserted_at_another_place(self):
        text = "the crew, was kind"

        told = {edited(text, 0.01, np.random.default_rng(seed), ["insert"]) for seed in range(200)}

        words = text.split()
        expected = {
            " ".join([*words[: at + 1], word.strip(","), *words[at + 1 :]])
            for at in range(4)
            for place, word in enumerate(words)
            if place != at
        }
        assert told == expected

    def test_the_usual_edits_are_those_that_evidence_was_made_with(self):
        text = "the crew was there and here, we paid 40 for a wonderful flight to Boston"

        told = [edited(text, 0.6, np.random.default_rng(seed)) for seed in range(3)]

        assert told == USUALLY

    @pytest.mark.parametrize("text", ["", " ", "a", "not 12", "NO WAY 3"])
    def test_where_nothing_may_be_touched_nothing_is(self, text):
        assert edited(text, 1.0, np.random.default_rng(1)) == text
