"""chrF is sacrebleu's, to the last bit."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.chrf import CHRF

from augment.chrf import scores

texts = st.text(st.sampled_from("abc é日👍 \n\u3000"), max_size=14)
"""Few letters, so that runs come again; marks of one to four bytes; white space of three kinds."""


@settings(deadline=None)  # the first one loads numba
@given(st.lists(st.tuples(texts, texts), max_size=8))
def test_it_is_sacrebleus_for_all_pairs_at_once(pairs):
    metric = CHRF()

    found = scores([one for one, _ in pairs], [other for _, other in pairs])

    assert found.tolist() == [metric.sentence_score(one, [other]).score for one, other in pairs]


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_it_is_sacrebleus_for_any_characters(one, other):
    assert scores([one], [other])[0] == CHRF().sentence_score(one, [other]).score
