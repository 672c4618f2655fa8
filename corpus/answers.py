"""What a model answered for a text, put together of what it answered for its sentences, or why that is no answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from corpus.sentences import Sentences

ANSWERED = pa.struct([("text", pa.string()), ("fault", pa.string())])
"""An answer, and why it is none where that is known (a reason of `admission`); null where the text could not be read."""


@dataclass(frozen=True)
class Answer:
    """What was said; `fault` is `endless` where the model came to no end, `prompt_repeated` where it said its instruction."""

    text: str
    fault: str | None = None


def joined(text: Sentences, answers: Mapping[str, Answer]) -> Answer:
    """Put the answers for sentences in their places; a sentence without an answer of its own stays as it is.

    A text of which one sentence was answered with nothing has no answer at all: it would lose what that sentence says.
    """
    made = [answers.get(sentence, Answer(sentence)) for sentence in text.said]
    fault = next((one.fault for one in made if one.fault is not None), None)
    if not all(one.text.strip() for one in made):
        return Answer("", fault)
    return Answer(text.joined(tuple(one.text for one in made)), fault)


def column(answers: Sequence[Answer | None]) -> pa.StructArray:
    """Return answers as `ANSWERED`."""
    return pa.array(
        [None if one is None else {"text": one.text, "fault": one.fault} for one in answers], ANSWERED
    )
