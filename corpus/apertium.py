r"""Apertium, the rule-based translator of the Debian packages: offline, deterministic, a text at a time.

The pipeline of a pair's mode file is run as it stands, with a NUL after each text (`-z`). What means something
in Apertium's stream format travels as noncharacters, so that `^ $ / [ ] { } < > \ @ ~` come back as they went.

Two things would make a text's translation depend on its neighbours. Without NULs words and rules reach over
line ends (of 2,000 tweets 812 changed when they were shuffled). With them 107 still changed: the first
ambiguity class that the tagger's model lacks may overwrite its open class, for all texts to come
(`find_similar_ambiguity_class` assigns through a reference, Apertium 3.8.3). The tagger names such words and their
classes with `-d`; only texts that would find the open class as they need it share a tagger (`_needs`), and none changes (of
1,000 tweets and their translations, for eng-spa, eng-cat, en-gl and en-eo both ways).

What forgets a text once it has answered is kept as long as its process (`corpus/pipes.py`): what stands before the tagger
and behind it, the tagger of texts that overwrite nothing, and the one that names words, which says the same of a text
whatever it was asked before. Beginning them takes 0.1 to 0.25 s. Other taggers are begun for their texts, in 4 ms each: of
5,000 tweets for eng-spa 3,485 overwrite nothing, 478 share 8 taggers, and 1,037 have one of their own.
"""

import functools
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa

from corpus import grammars
from corpus.piecewise import piecewise
from corpus.pipe import Pipe
from corpus.pipes import KEPT
from corpus.schema import UserError, digest

_MEANING = "^$/[]{}<>\\@~"  # what means something in Apertium's stream format
_STANDINS = "".join(
    chr(0xFDD0 + number) for number in range(len(_MEANING))
)  # noncharacters: for internal use
_OUT = str.maketrans(
    {**dict(zip(_MEANING, _STANDINS, strict=True)), **dict.fromkeys(_STANDINS, "\ufffd"), "\0": " "}
)
_BACK = str.maketrans(dict(zip(_STANDINS, _MEANING, strict=True)))
_SUPERBLANK = re.compile(r"\[(.*?)\]", re.DOTALL)
"""What a rule moved with the blanks beside it: the reformatters, which are not asked, take its brackets away."""
KNOWN = "a"
"""A text that every pipeline answers, whether it knows the word or not."""
_READ_AS = "superblanks are bare"
"""How answers are read here: part of what a translation depends on."""

_TAGGER = re.compile(r"\s*\|\s*(apertium-tagger [^|]*?)\s*\|\s*")
_UNIT = re.compile(r"\^([^/]*)/(\*?)")
_NEW = "A new ambiguity class was found."
_UNSEEN = re.compile(
    rf"{re.escape(_NEW)}[^\n]*\n[^\n]*\nWord '(.*?)'\.\nNew ambiguity class: ([^\n]*)",
    re.DOTALL,
)


def translate(source: str, target: str, texts: pa.StringArray) -> pa.StringArray:
    """Translate each text by itself; line breaks and special characters stay, unknown words pass unmarked.

    Languages are Apertium's codes (`eng`, `spa`). A NUL is read as a space. A text that Apertium breaks on (it dies, hangs, or
    does not give it back whole), tried in its batch and again in smaller ones down to itself, is null.
    Raises `UserError` where Apertium or the pair is not installed, or answers nothing any more.
    """
    before, tagger, after = pipeline(source, target)

    def make(some: list[str]) -> list[str]:
        analysed = run(before, [escaped(text) for text in some])
        tagged = analysed if tagger is None else tag(tagger, analysed)
        return [_respaced(came(answer), text) for answer, text in zip(run(after, tagged), some, strict=True)]

    return pa.array(piecewise(make, texts.to_pylist(), KNOWN), pa.string())


def escaped(text: str) -> str:
    """Return a text as it is sent: what means something in the stream format stands as noncharacters, a NUL as a space."""
    return text.translate(_OUT)


def came(answer: str) -> str:
    """Return what came back as text."""
    return _SUPERBLANK.sub(r"\1", answer).translate(_BACK)


def revision(source: str, target: str) -> str:
    """Name what a translation depends on: Apertium's version and a digest of the pair's mode and data files."""
    held = mode(source, target)
    version = subprocess.run(["apertium", "-V"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607 - found on PATH by _mode
    files = sorted({Path(name) for name in re.findall(r"'(/[^']+)'", held.read_text())})
    return f"{version} {digest(_READ_AS, held.read_bytes(), *(file.read_bytes() for file in files)).hex()}"


def mode(source: str, target: str) -> Path:
    """Return the file that holds the pair's pipeline."""
    modes = Path(os.environ.get("APERTIUM_DATADIR", "/usr/share/apertium"), "modes")
    held = modes / f"{source}-{target}.mode"
    if shutil.which("apertium") is None or shutil.which("apertium-wblank-mode") is None:
        raise UserError(
            "translation needs Apertium, and there is no `apertium` on the PATH: apt-get install apertium, and the "
            f"package of the pair {source}-{target}"
        )
    if not held.exists():
        raise UserError(
            f"translation needs Apertium's pair {source}-{target}, and {held} is not there: "
            f"{grammars.advice(source, target, modes)}"
        )
    return held


@functools.cache
def pipeline(source: str, target: str) -> tuple[str, str | None, str]:
    """Return the shell commands before the tagger, the tagger's, and those after it, all flushing at a NUL."""
    command = ["apertium-wblank-mode", "-z", str(mode(source, target))]
    whole = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - Apertium's own script on its own file
    plain = whole.replace("$1", "-n").replace("$2", "")
    found = _TAGGER.search(plain)
    if found is None:
        return "cat", None, plain
    return plain[: found.start()], found[1], plain[found.end() :]


def tag(tagger: str, analysed: list[str]) -> list[str]:
    """Tag each text as if it were the first; those share a tagger that need the same of it (`_needs`).

    Who overwrites nothing may be asked of a tagger that is kept, the others of one that is begun for them.
    """
    found = unseen_words(tagger, analysed)
    unseen: dict[str, set[str]] = {}
    for word, ambiguity in found or ():
        unseen.setdefault(word, set()).add(ambiguity)
    units = [_UNIT.findall(text) for text in analysed]
    known = found is not None and unseen.keys() <= {word for of_one in units for word, _ in of_one}
    sharing: dict[str | int, list[int]] = {}
    for number, of_one in enumerate(units):
        needs = _needs(of_one, unseen) if known else None
        sharing.setdefault(number if needs is None else needs, []).append(number)
    tagged: dict[int, str] = {}
    for what, numbers in sharing.items():
        ask = run if what == "" else run_anew
        answers = ask(tagger, [analysed[number] for number in numbers])
        tagged.update(zip(numbers, answers, strict=True))
    return [tagged[number] for number in range(len(analysed))]


def unseen_words(tagger: str, analysed: list[str]) -> list[tuple[str, str]] | None:
    """Return the words, in their order, whose ambiguity class the tagger's model lacks, each with that class.

    What is found in a text does not depend on the texts before it: the open class is in the model, and what overwrites it too.
    None where not all that the tagger says of classes can be read: a word that went unseen would spoil who is kept.
    """
    told = KEPT.ask(tagger.replace("apertium-tagger", "apertium-tagger -d", 1), analysed).told
    found = _UNSEEN.findall(told)
    return found if len(found) == told.count(_NEW) else None


def _needs(units: list[tuple[str, str]], unseen: dict[str, set[str]]) -> str | None:
    """Name the ambiguity class whose overwriting of the open class a text may find done: "" where it overwrites nothing.

    An unseen class makes the open class the least one that the model has and that holds it. Made again of what that left, it is
    the same; so a text may come behind another where it has no other unseen class, and asks for the open class, as unknown
    words do, only behind its first. None where it must be alone.
    """
    first, classes = "", set[str]()
    for word, unknown in units:
        found = unseen.get(word, set())
        first = first or ("unknown" if unknown else "unseen" if found else "")
        classes |= found
    if not classes:
        return ""
    return classes.pop() if first == "unseen" and len(classes) == 1 else None


def run(command: str, texts: list[str]) -> list[str]:
    """Send texts through a shell pipeline that is kept, and return its answers, or raise `BrokenError`."""
    return KEPT.ask(command, texts).answers


def run_anew(program: str, texts: list[str]) -> list[str]:
    """Send texts through a program that nobody asked before, and nobody will after."""
    pipe = Pipe(shlex.split(program))
    try:
        return pipe.ask(texts).answers
    finally:
        pipe.kill()


def _respaced(answer: str, text: str) -> str:
    """Take away the spaces that words which have no translation leave, at the ends and where runs come from."""
    bare = text.strip()
    if not bare:
        return text
    start = text.index(bare)
    squeezed = answer.strip() if "  " in bare else re.sub(" {2,}", " ", answer.strip())
    return text[:start] + squeezed + text[start + len(bare) :]
