"""The gate of grown rows: neither a copy nor nonsense, and like no row of any split."""

from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, PositiveInt, model_validator

from augment import labels, unaided
from augment.cells import Targets, by_axis, thin
from augment.choice import Caps, choose
from augment.chrf import scores as chrf_of
from augment.embedded import Embedded
from augment.entailed import entailed
from augment.held_out import Shares
from augment.kept import Kept
from augment.likeness import near_duplicates
from augment.pairs import Pairs
from augment.shown import Unshown, unshown
from augment.weakest import worded
from augment.yields import yields
from corpus import evaluation_sets, language_id, lexicon, shingles, text
from corpus.models import EMBEDDING, Models
from corpus.schema import UserError, of_splits
from corpus.shingles import Bands
from corpus.sources import Source
from corpus.stage import Context, CorpusJudge, Features, Rows
from corpus.verdict import Verdict


class Admission(CorpusJudge):
    """Judge the candidates of the growth before it, cheap questions first; rows that stood before always stay.

    In order (`augment.unaided` up to the language): `not_made`, `endless` and `prompt_repeated` (the engine broke on it, came to no end, or said its instruction), `empty`, `mask_lost` (the engine says that a piece did not come back, or the links, handles, hashtags, places, code, slots and emoji are not those of the parent), `copy_of_parent`
    (the same words), `length_changed` (by the ratio of words), `number_changed`, `negation_changed` and `name_lost` (what
    `kept` names; `augment.kept`), `person_changed` (pronouns of others), `order_changed` (names, handles or pronouns change places: who did what to whom), `sense_turned` (a word that translators take in another
    of its senses is gone), `opposite_said` (a word came that says the contrary of one that went), `groups_changed` (other groups of people are mentioned, by a lexicon), `language_changed` (surely another language than the parent's), chrF of the candidate against its parent (Popović 2015, 0 to 100, sacrebleu's
    defaults; over the words alone, since links and handles that come back untouched hide both a copy and
    nonsense) below the band (`meaning_drift`) or above it (`too_close`), `test_overlap` (`augment.held_out`: runs of
    words of a test or validation row, or of an evaluation set, that its parent has not), cosine of the two embeddings below
    the band (`embedding_drift`) or above it (`embedding_too_close`), `word_drift` (`augment.weakest`: a word of one of the two
    that nothing in the other is like), `not_entailed` (`augment.entailed`, where a model is named: one of the two does not
    follow from the other), `label_changed` (`augment.labels`: a probe
    of the originals, which never saw the parent's family, is at least so much surer of another label, beyond what it
    doubts the parent's; not asked where fewer than two labels have ten families), and `near_duplicate` of any row of any
    split, admitted candidates included. `other` is the parent, or the row that it is too much like.

    What a gate measured is kept of all that it asked, passed or not (`scores.parquet`): `word_ratio`, `other_language` (how
    surely the languages differ), `chrf`, `held_out`, `cosine`, `weakest_word`, `entailment`, `label_margin` and `jaccard` (with
    the row most alike, of those that share a band). What a gate counts (lost pieces, changed numbers, negations, names) stands
    in the ledger of those that it refuses; of all others the count is 0.

    Embeddings read all of a text: one longer than the model reads at once is read in windows that overlap
    (`corpus.windows`). Each of its words is compared in the window where it stands farther from an end, with all words of the
    other text; its own vector is the mean of those of the windows. Where `min_word_similarity` is null a long text
    is asked by that mean alone, in which a bad part weighs no more than its length.

    Candidates of growth that means to stay near its parents (`counterfactual`, `templates`: `near` under `extra.grown`) are
    not asked whether they are `too_close` or `embedding_too_close`, and not for names, persons, opposites, groups and each word, which are
    what is exchanged; and they may be near-duplicates of their parent and of one another, if their words are not the same.

    Of a candidate that shows examples before its prompt (`templates`) is judged what stands behind them; whether it says
    what is held out is asked of all of it.

    Where a cap is set, those that pass are taken one by one, the one first that adds most to the originals and to what
    is taken (`augment.choice`); what would exceed a cap is `enough`, and `detail` names the cap. What adds most is
    least like its parent: under a tight cap raise `min_chrf` and `min_similarity`.

    Under targets rows alone are asked to grow whose label, source or group lies under its own by the training rows that
    stand (`unasked` counts the others), but where a filter stands between the growth and this stage, which may make any
    cell thin: then all are. Targets that are not met are told.
    """

    stage: Literal["admission"] = "admission"
    kept: tuple[Kept, ...] = Field(
        ("numbers", "negations", "names", "persons", "senses", "opposites", "groups"),
        description="what a candidate must keep of its parent",
    )
    lexicon: str = Field(
        "mentions",
        description="whose groups are meant: a lexicon of ours by name, or the path of a YAML file",
    )
    max_word_ratio: float = Field(
        2.0, ge=1, description="most times as many, or as few, words as its parent that a candidate may have"
    )
    min_language_score: float = Field(
        0.7, gt=0, le=1, description="probability from which a text is surely in a language"
    )
    min_chrf: float = Field(25, ge=0, le=100, description="chrF below which the meaning drifted")
    max_chrf: float = Field(85, ge=0, le=100, description="chrF above which a candidate is its parent again")
    overlap: float | None = Field(
        0.3,
        gt=0,
        le=1,
        description="share of a held-out text's runs of words, more than its parent has, at which a candidate goes; off where null",
    )
    against: tuple[Source, ...] = Field(
        (), description="evaluation sets that are held out too, named and read as sources are"
    )
    run_words: PositiveInt = Field(5, le=50, description="words in a run")
    min_words: PositiveInt = Field(5, description="words that a held-out text must have to be compared")
    embedding: str = Field(EMBEDDING, description="URI of the embedding model")
    min_similarity: float = Field(
        0.6, ge=-1, le=1, description="cosine with the parent below which the meaning drifted"
    )
    max_similarity: float = Field(
        0.99, ge=-1, le=1, description="cosine with the parent above which nothing was said anew"
    )
    min_word_similarity: float | None = Field(
        0.65,
        ge=-1,
        le=1,
        description="cosine that each word must reach with one of the other text, where both stand; off where null",
    )
    entailment: str | None = Field(
        None,
        description="URI of a model of natural language inference (a class `entailment`), asked both ways; nobody is asked where null",
    )
    min_entailment: float = Field(
        0.5,
        ge=0,
        le=1,
        description="probability with which each must follow from the other, where a model is named",
    )
    min_label_margin: float | None = Field(
        1.0,
        gt=0,
        description="log-odds by which a probe may not be surer of another label than the parent's; off where null",
    )
    near_duplicate: float = Field(
        0.8, gt=0, le=1, description="Jaccard similarity at which a candidate is a near-duplicate"
    )
    shingle_words: PositiveInt = Field(2, le=50, description="words in a shingle")
    max_per_parent: PositiveInt | None = Field(
        None,
        description="grown rows that a parent may have, those of its own children not counted; no cap where null",
    )
    max_share: float | None = Field(
        None, gt=0, lt=1, description="share of grown rows among the training rows; no cap where null"
    )
    keep: PositiveInt | None = Field(None, description="candidates to admit at most; no cap where null")
    targets: Targets | None = Field(
        None,
        description="training rows that each label shall have, others get none; `balance`: as many as the commonest; by axis "
        "(label, source, a declared group) as in `{label: balance, region: {north: 900}}`; off where null",
    )

    candidates: ClassVar[bool] = True
    thresholds = frozenset(
        {
            *("kept", "max_word_ratio", "min_language_score", "min_chrf", "max_chrf"),
            *("overlap", "against", "run_words", "min_words"),
            *("max_per_parent", "max_share", "keep", "targets"),
            *("lexicon", "min_similarity", "max_similarity", "min_word_similarity", "min_label_margin"),
            *("near_duplicate", "embedding", "entailment", "min_entailment"),
        }
    )
    libraries = language_id.LIBRARIES

    @property
    def measuring(self) -> dict[str, Any]:
        """The knobs, and the bands that the threshold asks for."""
        return {**super().measuring, "bands": Bands.at(self.near_duplicate).count}

    @property
    def caps(self) -> Caps:
        """How many candidates are wanted."""
        return Caps(self.max_per_parent, self.max_share, self.keep, self.targets)

    @property
    def models(self) -> tuple[str, ...]:
        """The embedding model, and that of entailment where there is one."""
        return (self.embedding, *(() if self.entailment is None else (self.entailment,)))

    @model_validator(mode="after")
    def _could_pass(self) -> "Admission":
        for low, high, name in (
            (self.min_chrf, self.max_chrf, "chrf"),
            (self.min_similarity, self.max_similarity, "similarity"),
        ):
            if low > high:
                raise UserError(f"min_{name} is {low:g} and max_{name} {high:g}: no candidate could pass")
        if self.min_words > self.run_words:
            raise UserError(
                f"min_words is {self.min_words} and run_words {self.run_words}: a text shorter than a run is compared whole, raise run_words"
            )
        evaluation_sets.unlike(self.against)
        lexicon.load(self.lexicon)
        if self.targets is not None:
            by_axis(self.targets)
        return self

    def identity(self, models: Models) -> dict[str, Any]:
        """Return the knobs, with digests of lexicon and evaluation sets in the place of their locations."""
        held = lexicon.load(self.lexicon)
        return {
            **super().identity(models),
            "lexicon": {"name": held.name, "digest": held.digest},
            "against": evaluation_sets.identity(self.against, models),
        }

    def ready(self, models: Models) -> None:
        """Read the evaluation sets once, and what the model of entailment is, so that a bad one is told before anything heavy runs."""
        if self.entailment is not None:
            models.infers(self.entailment)
        evaluation_sets.check(self.against, models, self.run_words, self.min_words)

    def wanted(self, rows: pa.Table) -> np.ndarray:
        """Say which rows are of a cell that lies under its target; those of splits that are not judged are wanted all."""
        if self.targets is None:
            return super().wanted(rows)
        under = thin(self.targets, rows, of_splits(rows["split"], ["train"]))
        wanted: np.ndarray = under | ~of_splits(rows["split"], self.splits)
        return wanted

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return LSH band keys, the key of the words, which engine made the row, whether a mask was lost on the way, its fault, whether it is to be near its parent, and whether it shows examples."""
        rows = unshown(rows)
        texts = text.contents(rows)
        told = [
            orjson.loads(extra or "{}").get("grown", {}) if parent is not None else {}
            for parent, extra in zip(rows["parent"].to_pylist(), rows["extra"].to_pylist(), strict=True)
        ]
        return pa.table(
            {
                **shingles.measured(rows, self.shingle_words, Bands.at(self.near_duplicate)),
                "characters": pc.utf8_length(pc.utf8_trim_whitespace(texts)),
                "mask_lost": pa.array([bool(one.get("masks_lost")) for one in told], pa.bool_()),
                "near": pa.array([bool(one.get("near")) for one in told], pa.bool_()),
                "shown": pa.array(["shown" in one for one in told], pa.bool_()),
                "engine": pa.array([one.get("engine") for one in told], pa.string()),
                "fault": pa.array([one.get("fault") for one in told], pa.string()),
            }
        )

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Ask each question of the candidates that passed the ones before."""
        pairs = Pairs.of(
            Unshown(rows) if pc.any(features["shown"]).as_py() else rows, features["near"].to_numpy()
        )
        verdict = unaided.made(features, pairs)
        verdict |= unaided.pieces(pairs.after(verdict))
        verdict |= unaided.length(pairs.after(verdict), self.max_word_ratio)
        verdict |= unaided.kept(pairs.after(verdict), self.kept, lexicon.load(self.lexicon))
        verdict |= unaided.language(pairs.after(verdict), self.min_language_score)
        left = pairs.after(verdict)
        chrf = left.spread(chrf_of(*left.words()))
        verdict |= left.band(
            "chrf", chrf, (self.min_chrf, self.max_chrf), ("meaning_drift", "too_close"), but_near=True
        )
        verdict |= self._held_out(replace(pairs.after(verdict), rows=rows), context)
        left = pairs.after(verdict)
        embedded, weakest = self._embedded(left)
        cosine = left.spread(embedded.cosines(left.chosen, left.theirs))
        verdict |= left.band(
            "cosine",
            cosine,
            (self.min_similarity, self.max_similarity),
            ("embedding_drift", "embedding_too_close"),
            but_near=True,
        )
        if self.min_word_similarity is not None:
            verdict |= left.after(verdict).below(
                "weakest_word", weakest, self.min_word_similarity, "word_drift", but_near=True
            )
        if self.entailment is not None:
            left = left.after(verdict)
            follows = entailed(left, self.entailment, context)
            verdict |= left.below("entailment", follows, self.min_entailment, "not_entailed", but_near=True)
        told: dict[str, Any] = {}
        if self.min_label_margin is not None:
            asked = labels.ask(
                pairs.after(verdict), embedded, self.embedding, context, targeted=self.targets is not None
            )
            verdict |= pairs.after(verdict).at_least(
                "label_margin", asked.scores, self.min_label_margin, "label_changed"
            )
            embedded, told["label_probe"] = asked.embedded, asked.probe
        verdict |= near_duplicates(features, pairs.after(verdict), self.shingle_words, self.near_duplicate)
        if self.caps.any:
            chosen, told["unmet"] = choose(pairs.after(verdict), self.caps, embedded, context)
            verdict |= chosen
        made = pa.array(np.flatnonzero(rows.candidates))
        engines, operations = features["engine"].take(made), rows.table["operation"].take(made)
        told["yields"] = yields(
            operations,
            engines,
            pairs.parents[rows.candidates],
            verdict.reason.take(made),
            *(each[rows.candidates] for each in (chrf, cosine)),
        )
        return replace(verdict, measured=told)

    def _embedded(self, pairs: Pairs) -> tuple[Embedded, np.ndarray]:
        """Embed candidates and parents, and say of each row how like its weakest word is (nan where nobody asked)."""
        if self.min_word_similarity is None:
            own = Embedded.of(pairs.rows, self.embedding, np.r_[pairs.chosen, pairs.theirs])
            return own, pairs.spread(np.full(len(pairs.chosen), np.nan))
        found = worded(pairs, self.embedding)
        return found.embedded, pairs.spread(found.weakest)

    def _held_out(self, pairs: Pairs, context: Context) -> Verdict:
        if self.overlap is None:
            return Verdict.keep(len(pairs.asked))
        found = Shares(self.run_words, self.min_words).overlap(pairs, self.against, context)
        verdict = pairs.at_least("held_out", found.share, self.overlap, "test_overlap")
        other = pa.array(found.other, mask=found.other < 0)
        return replace(verdict, other=other).explained(found.place)
