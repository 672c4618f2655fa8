"""Languages by code (ISO 639-1, 639-3), and as a language model is asked for them: by their English names."""

from corpus.schema import UserError

_NAMES = {
    "ara": "Arabic", "bul": "Bulgarian", "cat": "Catalan", "ces": "Czech", "dan": "Danish", "deu": "German", "ell": "Greek",
    "eng": "English", "epo": "Esperanto", "est": "Estonian", "eus": "Basque", "fin": "Finnish", "fra": "French",
    "glg": "Galician", "heb": "Hebrew", "hin": "Hindi", "hrv": "Croatian", "hun": "Hungarian", "ind": "Indonesian",
    "isl": "Icelandic", "ita": "Italian", "jpn": "Japanese", "kor": "Korean", "lav": "Latvian", "lit": "Lithuanian",
    "nld": "Dutch", "nor": "Norwegian", "pol": "Polish", "por": "Portuguese", "ron": "Romanian", "rus": "Russian",
    "slk": "Slovak", "slv": "Slovenian", "spa": "Spanish", "swe": "Swedish", "tha": "Thai", "tur": "Turkish",
    "ukr": "Ukrainian", "vie": "Vietnamese", "zho": "Chinese",
}  # fmt: skip
_SHORT = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "eo": "epo",
    "es": "spa", "et": "est", "eu": "eus", "fi": "fin", "fr": "fra", "gl": "glg", "he": "heb", "hi": "hin", "hr": "hrv",
    "hu": "hun", "id": "ind", "is": "isl", "it": "ita", "ja": "jpn", "ko": "kor", "lt": "lit", "lv": "lav", "nl": "nld",
    "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sv": "swe", "th": "tha",
    "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "zho",
}  # fmt: skip


def in_three_letters(code: str) -> str:
    """Return the code of three letters for one of two; any other as it is."""
    return _SHORT.get(code, code)


def name(code: str) -> str:
    """Return the English name of a language by its code of three letters or two."""
    known = _NAMES.get(in_three_letters(code))
    if known is None:
        raise UserError(
            f"a language model is asked for a language by its name, and the code {code!r} is not known: "
            f"name one of {', '.join(_NAMES)}"
        )
    return known


def translating(source: str, target: str) -> str:
    """Return the instruction that asks for a translation."""
    return f"Translate this text from {name(source)} into {name(target)}. Answer with the translation alone.\n\n{{text}}"
