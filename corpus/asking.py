"""What an instructed model is asked: to say a text in the way that an instruction names, likeliest or drawn.

{"instruction": "Say this in other words: {text}", "text": "I love the big cat", "sampled": {"temperature": 0.7, "seed": 7, "n": 0}}
"""

import json
from dataclasses import asdict, dataclass

import rfc8785

from corpus.sampled import Sampled
from corpus.schema import UserError

PREFIX = "model+"
"""Stands before the URI of an instructed language model, where a stage names its engine."""
TEXT = "{text}"


@dataclass(frozen=True)
class Ask:
    """An instruction that holds {text} once, the text, and how the answer is drawn: all that it depends on beside the model."""

    instruction: str
    text: str
    sampled: Sampled | None

    def prompt(self, sentence: str) -> str:
        """Return what the model is told of a sentence of the text."""
        return self.instruction.replace(TEXT, sentence)

    def spelled(self) -> str:
        """Return the ask as canonical JSON: what the memo knows it by."""
        sampled = None if self.sampled is None else asdict(self.sampled)
        return rfc8785.dumps(
            {"instruction": self.instruction, "text": self.text, "sampled": sampled}
        ).decode()

    @classmethod
    def read(cls, spelled: str) -> "Ask":
        """Return the ask that was spelled so."""
        held = json.loads(spelled)
        sampled = held["sampled"]
        return cls(held["instruction"], held["text"], None if sampled is None else Sampled(**sampled))


def check(instruction: str) -> None:
    """Raise `UserError` where an instruction does not hold {text} once, with words before or behind it."""
    if instruction.count(TEXT) != 1 or not any(map(str.isalpha, instruction.replace(TEXT, ""))):
        raise UserError(
            f"an instruction needs {TEXT} once and words round it, got {instruction!r}; write one such as 'Say this in other words: {TEXT}'"
        )
