"""Texts said anew by a language model that is asked in its own chat template: the same for a text in any company.

A text of up to `_LONGEST` pieces in one line is asked as a whole; a longer one sentence by sentence, and a sentence that is longer
is cut between words: nothing is truncated. What has no letter is passed as it is. Text that spells a special piece is text.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from corpus.answers import Answer, joined
from corpus.asking import Ask
from corpus.reply import repeats, unwrapped
from corpus.sampled import Sampled
from corpus.sentences import Sentences, fitted, sentences
from corpus.turns import plain, rendered

_LONGEST = 128
_SPARE = 16
"""An answer may have twice as many pieces as what is asked, and so many more."""
FILLED = 32
"""Prompts and answers are filled up to a multiple of so many pieces, which nobody reads."""


@dataclass(frozen=True)
class Prompt:
    """The pieces that a model goes on from, how many more it may say (its end among them), and how these are drawn.

    `text` is what the draws belong to.
    """

    pieces: tuple[int, ...]
    most: int
    text: str
    sampled: Sampled | None


class Decoder(Protocol):
    """What goes on from prompts."""

    def decode(self, prompts: Sequence[Prompt]) -> list[tuple[list[int], bool]]:
        """Return for each prompt the pieces that come next, without the end, and whether there was none."""


@dataclass(frozen=True)
class Chat:
    """A tokenizer and a decoder. `positions` is how many pieces the model reads and says together."""

    tokenizer: Any
    decoder: Decoder
    positions: int

    def answer(self, asks: Sequence[Ask]) -> list[Answer | None]:
        """Answer each ask by itself; None where a word of its text has more pieces than the model reads."""
        limits = {instruction: self._limit(instruction) for instruction in {ask.instruction for ask in asks}}
        cut = [
            self._cut(text, ask.text, limits[ask.instruction])
            for ask, text in zip(asks, self._sentences(asks), strict=True)
        ]
        wanted = {
            (ask.instruction, ask.sampled, sentence): self._prompt(ask, sentence)
            for ask, text in zip(asks, cut, strict=True)
            for sentence in (() if text is None else text.said)
            if any(map(str.isalpha, sentence))
        }
        answers: dict[tuple[str, Sampled | None], dict[str, Answer]] = defaultdict(dict)
        for key, said in zip(wanted, self.decoder.decode([*wanted.values()]), strict=True):
            instruction, sampled, sentence = key
            answers[instruction, sampled][sentence] = self._answer(instruction, sentence, *said)
        return [
            None if text is None else joined(text, answers[ask.instruction, ask.sampled])
            for ask, text in zip(asks, cut, strict=True)
        ]

    def _sentences(self, asks: Sequence[Ask]) -> list[Sentences]:
        texts = list(dict.fromkeys(ask.text for ask in asks))
        known = dict(zip(texts, sentences(pa.array(texts, pa.string())), strict=True))
        return [known[ask.text] for ask in asks]

    def _cut(self, text: Sentences, told: str, limit: int) -> Sentences | None:
        whole = told.strip()
        if whole and len(whole.splitlines()) == 1 and self._count(whole) <= limit:
            start = told.index(whole)
            return Sentences((whole,), (told[:start], told[start + len(whole) :]))
        return fitted(text, self._count, limit)

    def _limit(self, instruction: str) -> int:
        """Return how many pieces of a text are asked at once: so that twice as many can be answered."""
        around = len(self._prompt(Ask(instruction, "", None), "").pieces)
        return min(_LONGEST, (self.positions - around - _SPARE - 2 * FILLED) // 3)

    def _count(self, sentence: str) -> int:
        return len(plain(self.tokenizer, [sentence])[0])

    def _prompt(self, ask: Ask, sentence: str) -> Prompt:
        told = ask.prompt(sentence)
        turns = rendered(self.tokenizer, [{"role": "user", "content": told}], asks=True)
        pieces = (*turns.before[0], *turns.contents[0], *turns.after)
        return Prompt(pieces, 2 * self._count(sentence) + _SPARE, told, ask.sampled)

    def _answer(self, instruction: str, sentence: str, pieces: list[int], endless: bool) -> Answer:
        said = self.tokenizer.decode(pieces, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        if endless:
            return Answer(said, "endless")
        left = unwrapped(said, sentence)
        return Answer(left, "prompt_repeated" if repeats(left, instruction, sentence) else None)
