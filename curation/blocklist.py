"""Rows that hold a word of a list go."""

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, NonNegativeInt, field_validator

from corpus import lookalikes, text
from corpus.schema import UserError
from corpus.stage import Context, Judge
from corpus.verdict import Verdict

_BETWEEN = r"[^\p{L}\p{M}\p{N}]+"  # RE2's \b knows ASCII words only


class Blocklist(Judge):
    """Drop a row in which words of the list stand more than `max_hits` times.

    Whole words, whatever their case; a word is a run of letters, marks and digits, and a phrase's words may
    have any spaces and punctuation between them (`lorem ipsum` finds "Lorem, ipsum"). `detail` names the
    first that stands in the row. A word's other forms (plurals, spellings) are words of their own.
    """

    stage: Literal["blocklist"] = "blocklist"
    words: tuple[str, ...] = Field(description="words and phrases")
    max_hits: NonNegativeInt = Field(0, description="times that words of the list may stand in a row")
    match_repaired: bool = Field(
        False, description="look for the words in text whose look-alike letters are repaired"
    )

    thresholds = frozenset({"max_hits"})

    @field_validator("words")
    @classmethod
    def _words_can_be_found(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not words:
            raise UserError("blocklist needs words, and the list is empty: name some, or leave the stage out")
        for word in words:
            if not _parts(word):
                raise UserError(
                    f"blocklist needs words of letters or digits, and {word!r} has none: take it off the list"
                )
        return words

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Count the words of the list in each row, and name the first."""
        texts = text.contents(rows)
        if self.match_repaired:
            texts = lookalikes.repair_all(texts)
        held = pc.match_substring_regex(texts, _pattern(self.words, _BETWEEN))
        hits = pa.nulls(len(texts), pa.int64()).fill_null(0)
        first = pa.nulls(len(texts), pa.string())
        if pc.any(held).as_py():
            spaced = _spaced(texts.filter(held))
            pattern = f" {_pattern(self.words, '  ')} "
            found = pc.struct_field(pc.extract_regex(spaced, pattern), "word")
            hits = pc.replace_with_mask(
                hits, held, pc.count_substring_regex(spaced, pattern).cast(pa.int64())
            )
            first = pc.replace_with_mask(first, held, pc.replace_substring(found, "  ", " "))
        return pa.table({"hits": hits, "first": first})

    def judge(self, features: pa.Table, context: Context) -> Verdict:
        """Drop rows with more hits than are allowed."""
        return Verdict.above("blocked_word", features["hits"], self.max_hits).explained(
            features["first"].combine_chunks()
        )


def _parts(word: str) -> list[str]:
    return [part for part in pc.split_pattern_regex(pa.array([word]), _BETWEEN)[0].as_py() if part]


def _pattern(words: tuple[str, ...], between: str) -> str:
    """Return an RE2 pattern that finds any of the words, the longest first, in whatever case."""
    spelled = sorted({between.join(_parts(word)) for word in words}, key=lambda one: (-len(one), one))
    return f"(?i)(?P<word>{'|'.join(spelled)})"


def _spaced(texts: pa.StringArray) -> pa.StringArray:
    """Put two spaces between words and one at each end, so that neighbours never share a border."""
    parts = pc.replace_substring_regex(texts, _BETWEEN, "  ")
    return pc.binary_join_element_wise("", pc.utf8_trim(parts, " "), "", " ")
