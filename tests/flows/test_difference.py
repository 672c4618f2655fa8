"""Two texts word by word."""

from hypothesis import given
from hypothesis import strategies as st

from flows import difference as module
from flows.difference import difference, told

texts = st.text(alphabet="ab \n.", max_size=30)


@given(texts, texts)
def test_the_pieces_are_both_texts_to_the_character(before, after):
    pieces = difference(before, after)

    assert "".join(said for how, said in pieces if how != "new") == before
    assert "".join(said for how, said in pieces if how != "gone") == after
    assert all(said for _, said in pieces)


def test_what_differs_is_told_word_by_word():
    pieces = difference("the crew was great, thank you", "the crew was rude, thank them")

    assert pieces == [
        ("same", "the crew was "),
        ("gone", "great, "),
        ("new", "rude, "),
        ("same", "thank "),
        ("gone", "you"),
        ("new", "them"),
    ]
    assert told(pieces) == "the crew was [-great,-] {+rude,+} thank [-you-] {+them+}"


def test_far_words_are_left_out_and_equal_texts_say_so():
    many = " ".join(f"w{number}" for number in range(100))

    assert told(difference(f"{many} x {many}", f"{many} y {many}")) == (
        "… w94 w95 w96 w97 w98 w99 [-x-] {+y+} w0 w1 w2 w3 w4 w5 …"
    )
    assert told(difference(many, many)) == "the same words"
    assert told(difference("a b", "a  b")) == "[-a-] {+a+} b"


def test_very_long_differences_are_told_in_one_piece(monkeypatch):
    monkeypatch.setattr(module, "WORDS", 3)

    assert difference("x a b c d y", "x e f g h y") == [
        ("same", "x "),
        ("gone", "a b c d "),
        ("new", "e f g h "),
        ("same", "y"),
    ]
