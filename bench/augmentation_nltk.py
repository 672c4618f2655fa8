"""A folder of data for NLTK, as nlpaug and TextAttack look for them, of what can be had without NLTK's downloads.

WordNet 3.0 is Debian's, with the `lexnames` that Debian leaves out. The English stop words are NLTK's own list, in a file that
others ship (`--stopwords`). NLTK's part-of-speech tagger is its code with weights that are made here: of Apertium's reading of
other tweets, in Penn's tags. It tells nouns, verbs, adjectives and adverbs apart, which is what nlpaug asks of it. The folder of
other languages' wordnets is empty, and so is `index.sense`, by which these would be found.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from augment.wordnet import FOLDER, LEXNAMES
from corpus.morphology import ENGLISH, Analysis, Word, analyse

ROUNDS = 5
_PARTS = {
    "n": "NN", "np": "NNP", "adj": "JJ", "adv": "RB", "preadv": "RB", "det": "DT", "predet": "DT", "prn": "PRP", "prpers": "PRP",
    "pr": "IN", "cnjsub": "IN", "cnjadv": "IN", "cnjcoo": "CC", "num": "CD", "ij": "UH", "sent": ".", "cm": ",", "vaux": "MD",
}  # fmt: skip
_VERBS = {"past": "VBD", "pp": "VBN", "ger": "VBG", "subs": "VBG", "inf": "VB"}


def make(folder: Path, stopwords: Path, texts: Sequence[str]) -> Path:
    """Write the folder; `texts` are what the tagger learns from. Return it, for NLTK_DATA."""
    corpora = folder / "corpora"
    (corpora / "wordnet").mkdir(parents=True)
    for file in (
        *FOLDER.glob("data.*"),
        *FOLDER.glob("index.*"),
        *FOLDER.glob("*.exc"),
        FOLDER / "cntlist.rev",
    ):
        shutil.copy(file, corpora / "wordnet" / file.name)
    lexnames = "".join(f"{at:02}\t{name}\t1\n" for at, name in enumerate(LEXNAMES))
    (corpora / "wordnet" / "lexnames").write_text(lexnames)
    (corpora / "wordnet" / "index.sense").touch()
    for name in ("omw-1.4", "omw-2.0"):
        (corpora / name).mkdir()
    (corpora / "stopwords").mkdir()
    shutil.copy(stopwords, corpora / "stopwords" / "english")
    _write_tagger(folder / "taggers" / "averaged_perceptron_tagger_eng", texts)
    return folder


def tagged(pieces: Analysis) -> list[tuple[str, str]]:
    """Return the words of a text with Penn's tags; those of several words one by one, as nouns."""
    words = [piece for piece in pieces if isinstance(piece, Word)]
    return [
        (said, _penn(word) if said == word.surface else "NN")
        for word in words
        for said in word.surface.split()
    ]


def _penn(word: Word) -> str:
    if not word.parts:
        return "NN"
    tags = word.parts[0][1]
    if tags[0].startswith("vb"):
        known = [_VERBS[tag] for tag in tags if tag in _VERBS]
        return known[0] if known else "VBZ" if {"p3", "sg"} <= {*tags} else "VBP"
    penn = _PARTS.get(tags[0], "NN")
    if penn == "NN" and "pl" in tags:
        return "NNS"
    if penn == "JJ":
        return "JJR" if "comp" in tags else "JJS" if "sup" in tags else "JJ"
    return penn


def _write_tagger(folder: Path, texts: Sequence[str]) -> None:
    import random

    from nltk.tag.perceptron import PerceptronTagger

    tagger = PerceptronTagger(load=False)
    random.seed(0)  # it shuffles the sentences
    tagger.train([said for one in analyse(*ENGLISH, texts) if (said := tagged(one))], nr_iter=ROUNDS)
    held = {"weights": tagger.model.weights, "tagdict": tagger.tagdict, "classes": sorted(tagger.classes)}
    folder.mkdir(parents=True)
    for name, value in held.items():
        (folder / f"averaged_perceptron_tagger_eng.{name}.json").write_text(json.dumps(value))
