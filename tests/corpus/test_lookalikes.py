"""Look-alike letters are repaired inside words of mixed scripts, and nowhere else."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.lookalikes import repair, repair_all

LETTERS = st.text(st.sampled_from("abcgopxyzаеорсухбгжαοπABCАВС '-1"), max_size=12)


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("pаypal", "paypal"),
        ("cоaр", "cоaр"),  # both halves could give way: nobody can say which
        ("gооd", "good"),
        ("Cпасибо", "Спасибо"),
        ("Ηello wοrld", "Hello world"),
        ("αγaπη", "αγαπη"),
        ("ρg and μm", "ρg and μm"),
        ("iPhoneом", "iPhoneом"),  # nothing Latin looks like a м
        ("привет, мир", "привет, мир"),
        ("καλημέρα", "καλημέρα"),
        ("USB-кабель", "USB-кабель"),
        ("naïve café", "naïve café"),
    ],
)
def test_a_word_is_repaired_only_where_one_script_must_give_way(text, repaired):
    assert repair(text) == repaired


@settings(deadline=None)
@given(st.lists(LETTERS))
def test_all_texts_are_repaired_as_each_alone(texts):
    assert repair_all(pa.array(texts, pa.string())).to_pylist() == [repair(text) for text in texts]


@settings(deadline=None)
@given(LETTERS)
def test_repairing_twice_is_repairing_once(text):
    assert repair(repair(text)) == repair(text)


@settings(deadline=None)
@given(
    st.text(st.sampled_from("абвгдеёжзийклмнопрстуфхцчшщъыьэюя ,."))
    | st.text(st.characters(max_codepoint=0x24F))
)
def test_text_of_one_script_stays(text):
    assert repair(text) == text
