"""Look-alike letters inside words of mixed scripts: `pаypal` with a Cyrillic `а` is read as `paypal`."""

import re

import pyarrow as pa
import pyarrow.compute as pc

_LATIN_OF_CYRILLIC = dict(zip("аеорсухіјѕԁһԛԝАВЕЅІЈКМНОРСТУХ", "aeopcyxijsdhqwABESIJKMHOPCTYX", strict=True))
_LATIN_OF_GREEK = dict(zip("αινορυκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aivopukABEZHIKMNOPTYX", strict=True))
_TABLES = {
    ("latin", "cyrillic"): _LATIN_OF_CYRILLIC,
    ("latin", "greek"): _LATIN_OF_GREEK,
    ("cyrillic", "latin"): {latin: letter for letter, latin in _LATIN_OF_CYRILLIC.items()},
    ("greek", "latin"): {latin: letter for letter, latin in _LATIN_OF_GREEK.items()},
}
_LATIN, _OTHERS = "A-Za-zÀ-ɏ", "Ͱ-Ͽἀ-῿Ѐ-ԯ"
_MIXED = re.compile(
    f"[{_LATIN}{_OTHERS}]*(?:[{_LATIN}][{_OTHERS}]|[{_OTHERS}][{_LATIN}])[{_LATIN}{_OTHERS}]*"
)
_MIXED_RE2 = r"\p{Latin}[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{Latin}"


def repair(text: str) -> str:
    """Replace Cyrillic or Greek letters in an otherwise Latin word, and the reverse, by those they look like.

    A word (a run of letters) is repaired where one script has most of its letters, one other has the rest,
    and each of these has a look-alike (a choice from Unicode's confusables.txt: letters of the same drawing).
    Where both have half, one of them must be able to give way and the other not (`gооd`: nothing looks like a
    `g`). Greek needs three Latin letters beside it, for formulas such as ρg mix them honestly.
    """
    return _MIXED.sub(lambda found: _repaired(found[0]), text)


def repair_all(texts: pa.StringArray) -> pa.StringArray:
    """Repair each text; those without a word of mixed scripts are not looked at in Python."""
    mixed = pc.match_substring_regex(texts, _MIXED_RE2)
    if not pc.any(mixed).as_py():
        return texts
    return pc.replace_with_mask(
        texts, mixed, pa.array(map(repair, texts.filter(mixed).to_pylist()), pa.string())
    )


def _repaired(word: str) -> str:
    found: dict[str, list[str]] = {}
    for letter in word:
        found.setdefault(_script(letter), []).append(letter)
    if len(found) != 2:
        return word
    most, rest = sorted(found, key=lambda script: -len(found[script]))
    if len(found[most]) == len(found[rest]):
        if _readable(found, most, rest) and _readable(found, rest, most):
            return word
        if _readable(found, rest, most):
            most, rest = rest, most
    if not _readable(found, most, rest):
        return word
    return "".join(_TABLES[most, rest].get(letter, letter) for letter in word)


def _readable(found: dict[str, list[str]], most: str, rest: str) -> bool:
    """Say whether all letters of the script `rest` have look-alikes in `most`."""
    enough = 3 if rest == "greek" else 1
    return len(found[most]) >= enough and set(found[rest]) <= _TABLES.get((most, rest), {}).keys()


def _script(letter: str) -> str:
    if letter < "Ͱ":
        return "latin"
    return "cyrillic" if "Ѐ" <= letter <= "ԯ" else "greek"
