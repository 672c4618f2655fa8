"""Words of which tests make candidates."""

WORDS = [
    "the",
    "crew",
    "was",
    "kind",
    "and",
    "food",
    "good",
    "but",
    "my",
    "flight",
    "left",
    "late",
    "again",
    "so",
    "we",
    "missed",
    "three",
    "trains",
]
