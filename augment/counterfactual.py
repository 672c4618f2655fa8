"""Rows are said of another group: identity terms are exchanged throughout, and what agrees with them."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from augment.anew import Maker, Said, Way, by_row
from augment.swaps import exchanged
from augment.terms import Axis
from corpus import lexicon, text
from corpus.lexicon import Lexicon
from corpus.models import Models
from corpus.morphology import ENGLISH, Analysis, analyse
from corpus.schema import UserError, digest
from corpus.segment import rows_with_roles
from corpus.stage import Context, Grow

Exchange = tuple[str, str, str]
"""An axis, a group that a row speaks of, and the group that stands instead."""


class Counterfactual(Grow):
    """Grow `variants` candidates from each row that mentions a group, each said of another group of that axis (English alone).

    Counterfactual data augmentation (Lu et al. 2018, arXiv 1807.11714): all terms of the two groups are exchanged in the
    whole row, pronouns and given names included; where it speaks of both, both ways at once (she told him: he told her).
    Capitals, plurals, articles and genitives stay right; her is his or him, and a Christian a Jew or Jewish, by what stands
    behind it. Links, handles, code and the lexicon's traps ("lady gaga") are left as they are.

    There is no candidate where a term has none that stands for it ("hijab" of a Christian), nor any of an axis of which the row
    has a word that nothing stands for (the lexicon's `unpaired`: "seniors", "priest"), where nobody can tell how a word
    is used ("gave her money"), where a given name would be left that the grammar knows and the lexicon has not, or where a
    message that is not read speaks of either group. Words that are in neither ("Beyonce") stay. **A label may depend on the
    group** (hate speech, a diagnosis, a fact about somebody): the candidate has its parent's, so read some.

    Candidates are near their parents, and `admission` knows that; `near_duplicates` behind it would drop them. What was made
    is replayed. Raises `UserError` where Apertium or its grammar is missing.
    """

    stage: Literal["counterfactual"] = "counterfactual"
    roles: tuple[str, ...] | None = Field(
        ("text", "user"), description="messages that are said anew; all where absent"
    )
    lexicon: str = Field("mentions", description="a lexicon of ours by name, or the path of a YAML file")
    axes: tuple[str, ...] | None = Field(
        None, description="axes whose terms are exchanged; all that have some where absent"
    )
    targets: Mapping[str, tuple[str, ...]] | None = Field(
        None, description="groups, by axis, that a row may be said of; all others of its axis where absent"
    )
    variants: PositiveInt = Field(
        1, le=100, description="candidates of each row, drawn from all exchanges that can be made in it"
    )
    min_words: NonNegativeInt = Field(4, description="words that a row must have to be grown from")
    max_words: PositiveInt = Field(1_000, description="words that it may have")

    @model_validator(mode="after")
    def _groups_are_known(self) -> "Counterfactual":
        held = lexicon.load(self.lexicon)
        if held.language != "en":
            raise UserError(
                f"counterfactual knows English alone, and {self.lexicon} is of the language {held.language!r}: leave the stage out"
            )
        known = {name: Axis(held, name).groups for name in (*held.swaps, *held.growth.swaps)}
        for name in (*(self.axes or ()), *(self.targets or {})):
            if name not in known:
                raise UserError(
                    f"counterfactual needs an axis whose terms have others that stand for them, got {name!r}; there are {', '.join(sorted(known))}"
                )
        for name, groups in (self.targets or {}).items():
            for group in groups:
                if group not in known[name]:
                    raise UserError(
                        f"counterfactual can say nothing of {name}={group}; there are {', '.join(known[name])}"
                    )
        return self

    def ready(self, models: Models) -> None:
        """Raise UserError where Apertium or its grammar is not installed."""
        models.engine_revision(f"apertium:{'-'.join(ENGLISH)}")

    def identity(self, models: Models) -> dict[str, Any]:
        """Return the knobs, with a digest of what the lexicon holds in the place of its location."""
        held = lexicon.load(self.lexicon)
        return {**super().identity(models), "lexicon": {"name": held.name, "digest": _digest(held)}}

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return the candidates of each row that is long enough and speaks of a group: parent, operation, messages, which groups."""
        held = lexicon.load(self.lexicon)
        unread = self._unread(rows, held)
        return by_row(
            rows,
            self.roles,
            (self.min_words, self.max_words),
            lambda ids, texts: self._ways([unread.get(one, []) for one in ids], texts, held, context),
        )

    def _unread(self, rows: pa.Table, held: Lexicon) -> dict[str, list[str]]:
        """Return the groups ("axis=value") that messages speak of which are not read, and axes of which they have a word that nothing stands for, by the ids of the rows."""
        roles = {*rows["messages"].combine_chunks().flatten().field("role").unique().to_pylist()}
        others = sorted(roles - {*self.roles}) if self.roles is not None else []
        if not others:
            return {}
        texts = text.contents(rows_with_roles(rows, others))
        found = held.mentions(texts)
        told = {name: found[name].to_numpy() for name in found.column_names}
        for axis in (Axis(held, name) for name in held.growth.unpaired):
            told[axis.name] = np.array([axis.unpaired(one) for one in texts.to_pylist()], bool)
        ids = rows["id"].to_pylist()
        unread: dict[str, list[str]] = {}
        for name, rows_that_tell in told.items():
            for place in np.flatnonzero(rows_that_tell):
                unread.setdefault(ids[place], []).append(name)
        return unread

    def _ways(
        self, unread: list[list[str]], texts: list[list[str]], held: Lexicon, context: Context
    ) -> list[list[Way]]:
        """Return the ways in which each row is said of others: what was made of the same messages is replayed."""
        grammar = context.models.engine_revision(f"apertium:{'-'.join(ENGLISH)}")
        knobs = [_digest(held), grammar, self.axes, self.targets, self.variants, context.seed]
        asked = [json.dumps(one) for one in zip(texts, unread, strict=True)]
        made = context.replay.recall(
            f"counterfactual {json.dumps(knobs, sort_keys=True)}",
            pa.array(asked, pa.string()),
            lambda missing: pa.array(
                self._made(missing.to_pylist(), held, context.seed), pa.list_(pa.string())
            ),
        ).to_pylist()
        return [
            [self._way(json.loads(one), held, grammar, context.seed) for one in of_row] for of_row in made
        ]

    def _way(self, made: Mapping[str, Any], held: Lexicon, grammar: str, seed: int) -> Way:
        axis, group, instead = made["exchange"]
        parameters = {"axis": axis, "group": group, "instead": instead, "lexicon": held.name, "seed": seed}
        maker = Maker(
            self.stage,
            "lexicon",
            f"{_digest(held)}, {grammar}",
            parameters,
            f"exchanged by the lexicon {held.name} ({held.licence})",
            near=True,
        )
        return Way([Said(one) for one in made["said"]], maker)

    def _made(self, asked: Sequence[str], held: Lexicon, seed: int) -> list[list[str]]:
        """Say each row of others: JSON of the exchange and what the messages say then. The exchanges are drawn by what the row says."""
        axes = [
            Axis(held, name)
            for name in dict.fromkeys((*held.swaps, *held.growth.swaps))
            if self.axes is None or name in self.axes
        ]
        rows = [json.loads(one) for one in asked]
        of = [self._exchanges(texts, unread, axes) for texts, unread in rows]
        # The grammar reads a NUL as a blank.
        flat = [
            one.replace("\0", " ") for (texts, _), some in zip(rows, of, strict=True) if some for one in texts
        ]
        read = iter(analyse(*ENGLISH, flat))
        by_name = {axis.name: axis for axis in axes}
        made: list[list[str]] = []
        for one, (texts, _), exchanges in zip(asked, rows, of, strict=True):
            pieces = [next(read) for _ in texts] if exchanges else []
            generator = np.random.default_rng(list(digest(str(seed), "counterfactual", one)))
            found: list[str] = []
            for place in generator.permutation(len(exchanges)):
                if len(found) < self.variants:
                    found += _said(by_name, texts, pieces, exchanges[place])
            made.append(found)
        return made

    def _exchanges(self, texts: Sequence[str], unread: Sequence[str], axes: Sequence[Axis]) -> list[Exchange]:
        """Return what could be exchanged: a group that the messages speak of, for another of its axis."""
        found: list[Exchange] = []
        for axis in axes:
            terms = [one for said in texts for one in axis.found(said)]
            spoken = [
                group
                for group in axis.groups
                if any(one.group == group and one.term not in axis.given for one in terms)
            ]
            silent = [group for group in axis.groups if group not in spoken]
            # Of two groups that are spoken of each stands for the other at once, which is one exchange.
            pairs = [*itertools.combinations(spoken, 2), *itertools.product(spoken, silent)]
            found += [
                (axis.name, group, instead)
                for group, instead in pairs
                if self._wanted(axis.name, instead, *((group,) if instead in spoken else ()))
                and not {axis.name, f"{axis.name}={group}", f"{axis.name}={instead}"} & {*unread}
            ]
        return found

    def _wanted(self, axis: str, *groups: str) -> bool:
        """Say whether a row may be said of one of some groups."""
        targets = None if self.targets is None else self.targets.get(axis)
        return targets is None or not {*targets}.isdisjoint(groups)


def _said(
    axes: Mapping[str, Axis], texts: Sequence[str], pieces: Sequence[Analysis], exchange: Exchange
) -> list[str]:
    """Return a candidate as JSON; none where one of the messages cannot be said of the other group throughout, or nothing changes."""
    axis, group, instead = exchange
    said = [exchanged(axes[axis], one, read, group, instead) for one, read in zip(texts, pieces, strict=True)]
    if None in said or said == [*texts]:
        return []
    return [json.dumps({"exchange": exchange, "said": said})]


def _digest(held: Lexicon) -> str:
    """Hash all that an exchange depends on."""
    told = held.model_dump(mode="json", include={"name", "licence", "axes", "traps", "swaps", "growth"})
    for name in ("adjectives", "exclamations"):
        told["growth"][name] = sorted(told["growth"][name])
    return digest("exchanges", json.dumps(told, sort_keys=True)).hex()
