"""Lists of words that stand for groups, and which texts mention them.

A lexicon says what a text speaks of, never who wrote it. One value of one axis, as in `data/lexicons`:

    axes: {religion: {jewish: [jew, jews, jewish, judaism, synagogue]}}
"""

import functools
import re
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from corpus.schema import UserError, digest

# A word ends where no letter, mark or digit of any script follows. RE2 has no look-around, so the match takes
# the neighbours with it; that is no loss where the question is whether there is a match at all.
_INSIDE_WORD = r"\pL\pM\pN"
_APOSTROPHES = "'\u2019\u2018\u02bc"  # typed, closing, opening, modifier letter


def _term(term: str) -> str:
    if not term.strip():
        raise ValueError("a term must hold a word, got blanks")
    return term


def _key(name: str) -> str:
    if not name or "=" in name:
        raise ValueError(f"a name must not be empty or hold '=', got {name!r}")
    return name


Key = Annotated[str, AfterValidator(_key)]
Terms = Annotated[tuple[Annotated[str, AfterValidator(_term)], ...], Field(min_length=1)]
Axis = Annotated[Mapping[Key, Terms], Field(min_length=1)]


class Precision(BaseModel):
    """Rows of `corpora` that an axis found and somebody read: how many, and how many speak of such people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: PositiveInt
    right: NonNegativeInt
    corpora: str

    @model_validator(mode="after")
    def _right_ones_are_some_of_those_read(self) -> "Precision":
        if self.right > self.read:
            raise ValueError(f"right must be at most read, got {self.right} of {self.read}")
        return self


class Pronouns(BaseModel):
    """Pronouns that say a gender; a text without any of them is neither."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    masculine: Terms
    feminine: Terms


class Growth(BaseModel):
    """What growth exchanges, by axis: slots beside those of `swaps`, given `names`, and what it must know of the words.

    `traps` are terms, and phrases with one, that are left as they are; `adjectives` are terms that describe a noun, or name
    people only where their plural in s is a term too; `exclamations` are such that speak of somebody only behind a
    determiner or an adjective. `unpaired` are words that tell of a group and that nothing stands for ("seniors"): a row that
    has one is not exchanged on that axis.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    swaps: Mapping[Key, tuple[Mapping[Key, str], ...]] = {}
    names: Mapping[Key, tuple[Mapping[Key, str], ...]] = {}
    traps: Mapping[Key, Mapping[Key, Terms]] = {}
    adjectives: frozenset[str] = frozenset()
    exclamations: frozenset[str] = frozenset()
    unpaired: Mapping[Key, Terms] = {}


class Lexicon(BaseModel):
    """Terms by axis and value; `notes` says of each axis what its terms miss or take in by mistake.

    `traps` are phrases in which a term of a value means something else: what stands in one is no mention, as "american"
    is none in "american airlines". `precision` is what reading found: of `read` rows that were found by an axis, how
    many speak of such people (`right`). `swaps` are terms of an axis that stand for one another, by value: by them a row
    is made to speak of another group, and `growth` what more that asks of growth. `pronouns` are those of the third person singular by which growth that turns one
    gender into the other is found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    name: str
    licence: str
    origin: str
    caution: str
    language: str = "en"
    notes: Mapping[Key, str] = {}
    axes: Annotated[Mapping[Key, Axis], Field(min_length=1)]
    traps: Mapping[Key, Mapping[Key, Terms]] = {}
    precision: Mapping[Key, Precision] = {}
    swaps: Mapping[Key, tuple[Mapping[Key, str], ...]] = {}
    pronouns: Pronouns | None = None
    growth: Growth = Growth()

    @model_validator(mode="after")
    def _values_are_known(self) -> "Lexicon":
        named = [
            ("traps", axis, value)
            for traps in (self.traps, self.growth.traps)
            for axis, values in traps.items()
            for value in values
        ]
        named += [
            (what, axis, value)
            for what, of_axes in (
                ("swaps", self.swaps),
                ("swaps of growth", self.growth.swaps),
                ("names", self.growth.names),
            )
            for axis, slots in of_axes.items()
            for slot in slots
            for value in slot
        ]
        for what, named_axes in (("precision", self.precision), ("unpaired", self.growth.unpaired)):
            for axis in named_axes:
                if axis not in self.axes:
                    raise ValueError(f"{what} names {axis}, which is not among the axes")
        for what, axis, value in named:
            if value not in self.axes.get(axis, {}):
                raise ValueError(f"{what} name {axis}={value}, which is not among the axes")
        return self

    @cached_property
    def patterns(self) -> dict[str, str]:
        """Return an RE2 pattern for each "axis=value", in the lexicon's order, to be matched without case."""
        return {
            f"{axis}={value}": pattern(terms)
            for axis, values in self.axes.items()
            for value, terms in values.items()
        }

    @property
    def digest(self) -> str:
        """Hash what the mentions depend on, for the key of a memo: the patterns, in order."""
        traps = [
            (axis, value, *terms) for axis, values in self.traps.items() for value, terms in values.items()
        ]
        held = [*self.patterns.items(), *sorted(traps)]
        return digest("lexicon", *(part for item in held for part in item)).hex()

    def mentions(self, texts: pa.StringArray | pa.ChunkedArray) -> pa.Table:
        """Return a bool column for each "axis=value", row-aligned with `texts`; a null text mentions nothing."""
        found: dict[str, np.ndarray] = {}
        for axis, values in self.axes.items():
            # Most texts speak of nobody on an axis: one pattern for all of its terms finds those that may.
            some = _matched(texts, tuple(term for terms in values.values() for term in terms))
            near = texts.take(pa.array(some))
            for value, terms in values.items():
                rows = some[self._among(near, terms, self.traps.get(axis, {}).get(value))]
                found[f"{axis}={value}"] = np.zeros(len(texts), dtype=bool)
                found[f"{axis}={value}"][rows] = True
        return pa.table(found)

    @staticmethod
    def _among(texts: pa.StringArray | pa.ChunkedArray, terms: Terms, traps: Terms | None) -> np.ndarray:
        """Return the positions of texts that hold a term outside of all traps."""
        rows = _matched(texts, terms)
        if traps is None:
            return rows
        trapped = rows[_matched(texts.take(pa.array(rows)), traps)]
        free = texts.take(pa.array(trapped))
        for _ in range(
            2
        ):  # a match takes its neighbours with it, so every other one of a row of traps is left
            free = pc.replace_substring_regex(free, f"(?i){pattern(traps)}", " ")
        caught = np.setdiff1d(np.arange(len(trapped)), _matched(free, terms))
        return np.setdiff1d(rows, trapped[caught])


def _matched(texts: pa.StringArray | pa.ChunkedArray, terms: Terms) -> np.ndarray:
    """Return the positions of texts that hold a term."""
    held = pc.fill_null(pc.match_substring_regex(texts, pattern(terms), ignore_case=True), False)
    return np.flatnonzero(
        held.to_numpy(zero_copy_only=False) if isinstance(held, pa.Array) else held.to_numpy()
    )


def pattern(terms: tuple[str, ...]) -> str:
    """Return an RE2 pattern that finds any of `terms` as whole words.

    The terms are plain text: what a regular expression would read as an operator is escaped. Blanks between
    their words match any white space, and all apostrophes are alike.
    """
    return rf"(?:^|[^{_INSIDE_WORD}])(?:{'|'.join(map(_escaped, terms))})(?:$|[^{_INSIDE_WORD}])"


def _escaped(term: str) -> str:
    words = [re.escape(word) for word in term.split()]
    apostrophe = re.compile(f"[{_APOSTROPHES}]")
    return r"[\s\pZ]+".join(apostrophe.sub(f"[{_APOSTROPHES}]", word) for word in words)


def load(name_or_path: str) -> Lexicon:
    """Read one of our lexicons by its name, or the user's own by the path of its YAML file.

    Raises `UserError` where there is no such lexicon or its file says something else than a lexicon.
    """
    file: Path | Traversable = Path(name_or_path)
    if not name_or_path.endswith((".yaml", ".yml")):
        folder = files("data") / "lexicons"
        file = folder / f"{name_or_path}.yaml"
        if not file.is_file():
            ours = ", ".join(sorted(Path(entry.name).stem for entry in folder.iterdir() if _is_yaml(entry)))
            raise UserError(
                f"needed a lexicon, got {name_or_path!r}; name one of ours ({ours}) or the path of a .yaml file"
            )
    elif not file.is_file():
        raise UserError(
            f"needed a lexicon's file, found none at {name_or_path}; give the path of a .yaml file"
        )
    try:
        return _parsed(file.read_text(encoding="utf-8"))
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(
            f"needed a lexicon (name, licence, origin, caution, axes) in {name_or_path}, got {_first(error)}; "
            f"see data/lexicons/README.md for the shape"
        ) from error


@functools.lru_cache(maxsize=8)
def _parsed(said: str) -> Lexicon:
    """Read what a lexicon's file says, once a process: ours take 0.2 s, and stages ask for them part by part."""
    return Lexicon.model_validate(yaml.safe_load(said))


def _is_yaml(entry: Traversable) -> bool:
    return entry.name.endswith(".yaml")


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return f"{where}: {first['msg']}" if where else first["msg"]
    return " ".join(str(error).split())
