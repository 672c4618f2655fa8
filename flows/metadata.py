"""What can be told of every row beside its groups, where the recipe's audit names it: how long it is, in which language."""

import pyarrow as pa

from audit.groups import AuditSettings, Told
from audit.lengths import lengths
from corpus import language_id, text

AXES = ("length", "language")


def metadata(rows: pa.Table, settings: AuditSettings) -> list[Told]:
    """Return the axes of `AXES` that the audit names; the language is what lid.176 takes a text for, null where it has no letters."""
    asked = settings.axes or ()
    told = []
    if "length" in asked:
        told.append(lengths(text.count_words(rows).to_numpy()))
    if "language" in asked:
        told.append(Told("language", "language-model", language_id.languages(text.contents(rows))))
    return told
