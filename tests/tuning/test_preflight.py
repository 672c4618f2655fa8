"""Rows that would train on nothing are found before training."""

from typing import Any

import pytest

from corpus.schema import UserError
from tests.tuning.conftest import labelled
from tuning.preflight import Unsupervised, preflight
from tuning.template import Template

LACKS = "it has no label and no turn of role assistant"


def test_supervised_tokens_are_counted_row_by_row(tokenizer: Any) -> None:
    template = Template(tokenizer, 64)
    rows = labelled([("good", "positive"), ("bad table", "negative"), ("the", None)])

    found = preflight(rows, template)

    classes = [template.completion(label) for label in ("positive", "negative")]
    assert found.rows == 3
    assert found.supervised == sum(len(tokens) + 1 for tokens in classes)
    assert found.tokens == len(template.encode(rows).tokens)
    assert found.unsupervised == (Unsupervised("00000002", LACKS),)


def test_rows_that_would_train_on_nothing_stop_the_run_by_name(tokenizer: Any) -> None:
    found = preflight(labelled([("good", "positive")] + [("bad", None)] * 5), Template(tokenizer, 64))

    with pytest.raises(UserError) as raised:
        found.require("stop")

    assert str(raised.value) == (
        "each training row needs a token that bears the loss; 5 of 6 rows have none"
        f" (00000001: {LACKS}; 00000002: {LACKS}; 00000003: {LACKS}; and 2 more): mend or drop them,"
        " raise tuning.max_tokens, or set tuning.unsupervised: skip"
    )


def test_such_rows_may_be_skipped_unless_all_are_such(tokenizer: Any) -> None:
    some = preflight(labelled([("good", "positive"), ("bad", None)]), Template(tokenizer, 64))
    all_of_them = preflight(labelled([("bad", None)]), Template(tokenizer, 64))

    some.require("skip")

    with pytest.raises(UserError, match="1 of 1 rows have none"):
        all_of_them.require("skip")
