"""Rows are said in other words of the same language."""

from importlib.metadata import version
from typing import Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, NonNegativeInt, PositiveInt

from augment import synonyms, wordnet
from augment.anew import Maker, Said, anew
from augment.edits import edited
from augment.masks import mask
from corpus.models import Models
from corpus.morphology import ENGLISH
from corpus.schema import digest
from corpus.stage import Context, Grow


class Paraphrase(Grow):
    """Grow `variants` candidates from each row of `min_words` to `max_words` words, by an engine.

    `wordnet` exchanges words for synonyms of the sense that they have in the text, in the same inflection (English alone:
    Apertium's grammar reads and writes the words); where no sense is clear the row comes back as it is. `edits` moves, takes
    out and mistypes words, in any language, and may change a label: it knows no meaning.

    Links, handles, hashtags, numbers and emoji are masked and put back. A candidate depends on its text, on `share`, its
    number and the seed, so it is replayed, and no other row changes it. Raises `UserError` where an engine's parts are missing.
    """

    stage: Literal["paraphrase"] = "paraphrase"
    roles: tuple[str, ...] | None = Field(
        ("text", "user"), description="messages that are said anew; all where absent"
    )
    engine: Literal["wordnet", "edits"] = Field(
        "wordnet", description="what says anew: WordNet's synonyms, or edits that know no meaning"
    )
    share: float = Field(
        0.6,
        gt=0,
        le=1,
        description="share of the words that are changed; of `wordnet`, of those that have synonyms",
    )
    variants: PositiveInt = Field(1, le=20, description="candidates of each row, each drawn anew")
    min_words: NonNegativeInt = Field(4, description="words that a row must have to be grown from")
    max_words: PositiveInt = Field(1_000, description="words that it may have")

    def ready(self, models: Models) -> None:
        """Raise UserError where WordNet, Apertium or its grammar is not installed."""
        if self.engine == "wordnet":
            wordnet.ready()
            for source, target in (ENGLISH, ENGLISH[::-1]):
                models.engine_revision(f"apertium:{source}-{target}")

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return the candidates of each row that is long enough: parent, operation, messages and how each was made."""
        return anew(
            rows,
            self.roles,
            (self.min_words, self.max_words),
            lambda texts: self._ways(texts, context),
            lambda: self._maker(context),
        )

    def _maker(self, context: Context) -> Maker:
        parameters = {"share": self.share, "seed": context.seed}
        licence = wordnet.LICENCE if self.engine == "wordnet" else "made by Winnow's own edits (Apache-2.0)"
        return Maker(self.stage, self.engine, self._revision(context), parameters, licence)

    def _revision(self, context: Context) -> str:
        if self.engine == "edits":
            return "1"
        grammar, back = ENGLISH, ENGLISH[::-1]
        told = [context.models.engine_revision(f"apertium:{'-'.join(pair)}") for pair in (grammar, back)]
        return f"WordNet 3.0, nltk {version('nltk')}, {', '.join(told)}"

    def _ways(self, texts: list[str], context: Context) -> list[list[Said]]:
        masked = [mask(text) for text in texts]
        maker = (
            f"paraphrase {self.engine} {self._revision(context)} {self.share} {self.variants} {context.seed}"
        )
        made = context.replay.recall(
            maker,
            pa.array([one.text for one in masked], pa.string()),
            lambda missing: pa.array(self._made(missing.to_pylist(), context.seed), pa.list_(pa.string())),
        ).to_pylist()
        return [[Said(*one.restore(text)) for text in ways] for one, ways in zip(masked, made, strict=True)]

    def _made(self, texts: list[str], seed: int) -> list[list[str]]:
        """Say each text anew, `variants` times."""
        if self.engine == "edits":
            return [
                [edited(text, self.share, _generator(seed, text, n)) for n in range(self.variants)]
                for text in texts
            ]
        return [
            [read.said(self.share, _generator(seed, text, n)) for n in range(self.variants)]
            for text, read in zip(texts, synonyms.readable(texts), strict=True)
        ]


def _generator(seed: int, text: str, n: int) -> np.random.Generator:
    """Return a generator of each candidate's own: what is drawn for it depends on no other row."""
    return np.random.default_rng(list(digest(str(seed), "paraphrase", text, str(n))))
