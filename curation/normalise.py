"""Text is put into one form: encoding, characters, letters and white space."""

import re
from collections.abc import Callable
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from corpus import lookalikes
from corpus.stage import Context, Rewrite

_CLEAN = r"^(?:[!-~]+(?:(?: |\n\n?)[!-~]+)*)?$"  # printable ASCII, single spaces, at most one empty line
_ENTITY = r"&[#A-Za-z]"
_LOST = "\ufffd"
_ODD = re.compile(f"[^ -~\t\n{_LOST}]")  # what ftfy and the rules for invisible characters may change

# Scripts in which a joiner or a non-joiner changes how a word is written and read.
_JOINING = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefe"
_PICTURE = "\u00a9\u00ae\u20e3\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff"
_TAGS = "\U000e0000-\U000e007f"
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffc]"
    f"|(?<![{_JOINING}])\u200c"
    f"|(?<![{_JOINING}{_PICTURE}])\u200d|(?<=[{_PICTURE}])\u200d(?![{_PICTURE}])"
    f"|(?<![{_TAGS}\U0001f3f4])[{_TAGS}]+"
)
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_AMPERSANDS = re.compile(r"&(?:(?:amp|#0*38|#[xX]0*26);)+")
_BREAKS = re.compile(r"\r\n?|[\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")


class Normalise(Rewrite):
    """Repair and unify the text of each message; what is printable ASCII with single spaces never changes.

    In order: HTML entities (not where a `<` says that the text is markup), text that was decoded with the
    wrong encoding (ftfy), Unicode's composed form (NFC), control and zero-width characters, look-alike
    letters, U+FFFD, white space; all of it again until nothing changes, so that a second run changes nothing.
    Joiners stay in emoji sequences and behind letters of scripts that join; marks of direction stay in a text
    with right-to-left letters; variation selectors and the tags of flags stay. Curly quotes, ligatures and
    full-width letters are left as the author wrote them.
    """

    stage: Literal["normalise"] = "normalise"
    mojibake: bool = Field(True, description="repair text that was decoded with the wrong encoding")
    entities: bool = Field(True, description="decode HTML entities such as &amp;")
    look_alikes: bool = Field(
        True,
        description="repair letters of another script inside words of mixed scripts: a Cyrillic а in pаypal",
    )
    replacement_character: Literal["keep", "remove"] = Field(
        "keep", description="U+FFFD, which stands where bytes could not be decoded"
    )
    white_space: Literal["collapse", "keep"] = Field(
        "collapse",
        description="one space for each run, at most one empty line, none at the ends; keep for code and tables",
    )

    libraries = ("ftfy",)

    def rewrite(self, texts: pa.StringArray, ids: pa.StringArray, context: Context) -> pa.StringArray:
        """Return the texts in one form; those that are plain already are not looked at in Python."""
        plain = pc.match_substring_regex(texts, _CLEAN)
        if self.entities:
            plain = pc.and_not(plain, pc.match_substring_regex(texts, _ENTITY))
        rest = pc.invert(plain)
        if not pc.any(rest).as_py():
            return texts
        once = self._once()
        return pc.replace_with_mask(
            texts,
            rest,
            pa.array([_settled(once, text) for text in texts.filter(rest).to_pylist()], pa.string()),
        )

    def _once(self) -> Callable[[str], str]:
        """Return the function that takes each step once."""
        from ftfy import TextFixerConfig, fix_text
        from ftfy.fixes import unescape_html

        config = TextFixerConfig(
            unescape_html=False,
            fix_encoding=self.mojibake,
            fix_c1_controls=self.mojibake,
            uncurl_quotes=False,
            fix_latin_ligatures=False,
            fix_character_width=False,
            explain=False,
        )

        def once(text: str) -> str:
            if self.entities and "&" in text and "<" not in text:
                text = unescape_html(_AMPERSANDS.sub("&", text))
            if _ODD.search(text):
                text = _visible(fix_text(_BREAKS.sub("\n", text), config))
                text = lookalikes.repair(text) if self.look_alikes else text
            if self.replacement_character == "remove":
                text = text.replace(_LOST, "")
            return _spaced(text) if self.white_space == "collapse" else text

        return once


def _settled(once: Callable[[str], str], text: str) -> str:
    """Take the steps until nothing changes: an entity may hide an entity, a removed character an accent."""
    while (after := once(text)) != text:
        text = after
    return text


def _visible(text: str) -> str:
    shown = _INVISIBLE.sub("", text)
    return shown if _RIGHT_TO_LEFT.search(shown) else _DIRECTIONS.sub("", shown)


def _spaced(text: str) -> str:
    return _EMPTY_LINES.sub("\n\n", _LINES.sub("\n", _SPACES.sub(" ", text))).strip()
