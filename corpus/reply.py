r"""What an instructed model says round its answer is taken off, by rules; and whether it said its instruction instead.

'Sure! Here is another way to say it:\n"The plane was late."'  ->  'The plane was late.'
"""

import re

_ALOUD = re.compile(r"\s*<think>.*?</think>\s*", re.DOTALL)
_YES = r"(?:sure|certainly|of course|okay|ok|yes|absolutely|great)\b[\s,.!]*(?:thing\b[\s,.!]*)?"
_HERE = r"here(?:['’]s| is| are)\b[^\n:]{0,80}"
_NAME = (
    r"(?:the |this |my |a )?(?:(?:new|other|original|rewritten|rephrased|reworded|paraphrased|translated) )?"
    r"(?:paraphrase|translation|rewording|rewrite|rephrasing|text|tweet|message|sentence|version|answer|response|output"
    r"|other words|in other words)"
    r"(?: (?:of|in|into|from|to)\b[^\n:]{0,60})?(?: (?:is|was|would be|could be|reads))?"
)
_ANNOUNCED = re.compile(rf"\s*(?:{_YES})?(?:{_HERE}|{_NAME})\s*:\s*", re.IGNORECASE)
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»", "„": "“", "`": "`"}
_WORD = re.compile(r"\w+")
_RUN = 4


def unwrapped(answer: str, source: str) -> str:
    """Take off what was thought aloud, one announcement that ends in a colon, and one pair of quotes round the whole.

    An announcement is "Here is ...:" or the name of what was asked for ("Paraphrase:", "The translation is:"), a word of
    assent before it or none; it stays where the source begins with one. Quotes stay where the source stands in quotes,
    and where the same sign stands between them too. Of what is left nothing is cut.
    """
    left = _ALOUD.sub("", answer, count=1).strip()
    announced = _ANNOUNCED.match(left)
    if announced is not None and not _ANNOUNCED.match(source):
        left = left[announced.end() :].strip()
    closing = _QUOTES.get(left[:1])
    if len(left) > 1 and closing == left[-1] and source.strip()[:1] not in _QUOTES:
        inner = left[1:-1]
        apostrophes = inner if closing not in "'’" else re.sub(r"(?<=\w)['’](?=\w)", "", inner)
        if left[0] not in apostrophes and closing not in apostrophes:
            left = inner.strip()
    return left


def repeats(answer: str, instruction: str, source: str) -> bool:
    """Say whether an answer holds a run of four words of its instruction (all where it has fewer) that the source has not."""
    said, known = (f" {' '.join(_words(text))} " for text in (answer, source))
    for side in instruction.split("{text}"):
        words = _words(side)
        size = min(_RUN, len(words))
        runs = (f" {' '.join(words[start : start + size])} " for start in range(len(words) - size + 1))
        if size and any(run in said and run not in known for run in runs):
            return True
    return False


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
