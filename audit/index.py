"""An index to the headings of Article 10 of the EU AI Act: where the evidence stands, and what only people can say.

Regulation (EU) 2024/1689, Article 10, on data and data governance, says what the data of high-risk systems need. This is an
index and no claim of conformity: whether what stands there is enough is for people.

{"heading": "10(2)(h)", "about": "gaps and shortcomings of the data", "evidence": [
  {"section": "retention", "file": null, "what": "rows that are missing", "says": "short of rows to be judged: 4 groups, at ..."},
  {"section": "representation", "file": null, "what": "a reference", "says": null}], "attest": "how the gaps are to be filled, and until when"}
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from audit import evidence

Facts = Mapping[str, Any]


WHERE: dict[Callable[[Facts], str | None], tuple[str, str]] = {
    evidence.stages: ("stages", "stages"),
    evidence.limits: ("methods", "limits"),
    evidence.sources: ("representation", "sources"),
    evidence.rows: ("representation", "rows"),
    evidence.unlabelled: ("representation", "labels"),
    evidence.balance: ("representation", "labels"),
    evidence.grown: ("growth", "growth"),
    evidence.precision: ("precision", "reading of mentions"),
    evidence.large: ("retention", "groups by size"),
    evidence.outcomes: ("verdict", "outcomes"),
    evidence.least: ("retention", "ratios"),
    evidence.probes: ("probes", "exchanged terms"),
    evidence.associations: ("associations", "groups with labels"),
    evidence.model: ("model", "a model by group"),
    evidence.causes: ("worst", "worst findings"),
    evidence.helps: ("remedies", "remedies"),
    evidence.unjudged: ("retention", "rows that are missing"),
    evidence.reference: ("representation", "a reference"),
    evidence.declared: ("representation", "declared groups"),
    evidence.mentions: ("representation", "mentions"),
    evidence.quoted: ("methods", "quotes"),
}
"""In which section of the report each line of evidence stands, and what it is about. Gates stand in `audit.json` alone."""


@dataclass(frozen=True)
class Heading:
    """A heading, what it is about, files of the version with what they hold, what the audit shows, what people must say."""

    heading: str
    about: str
    files: Mapping[str, str]
    shows: tuple[Callable[[Facts], str | None], ...]
    attest: str


HEADINGS = (
    Heading(
        "10(2)(a)",
        "design choices",
        {"manifest.json": "every stage with all its knobs, the seed and the sources"},
        (evidence.stages, evidence.limits),
        "why these choices suit the purpose of the system",
    ),
    Heading(
        "10(2)(b)",
        "how the data were collected and whence they come",
        {"attestations/sources.json": "digests of the files that were read"},
        (evidence.sources,),
        "how, by whom and for which purpose the data were collected; where they tell of persons, for which purpose at first",
    ),
    Heading(
        "10(2)(c)",
        "preparation: labelling, cleaning, updating, enrichment, aggregation",
        {"attestations/ledger.parquet": "a line for each row that was rejected, dropped or marked"},
        (evidence.rows, evidence.unlabelled, evidence.grown),
        "who labelled the rows, by which instructions, and how far they agreed",
    ),
    Heading(
        "10(2)(d)",
        "what the data are taken to measure and represent",
        {},
        (evidence.precision,),
        "what rows and labels are taken to measure, of whom, and where that may be wrong",
    ),
    Heading(
        "10(2)(e)",
        "availability, quantity and suitability",
        {},
        (evidence.rows, evidence.large),
        "whether so many and such rows suit the purpose",
    ),
    Heading(
        "10(2)(f)",
        "examination for biases",
        {},
        (
            evidence.outcomes,
            evidence.least,
            evidence.probes,
            evidence.associations,
            evidence.model,
        ),
        "which harms to health, safety and rights were thought of, and who was asked",
    ),
    Heading(
        "10(2)(g)",
        "finding, preventing and reducing biases",
        {},
        (evidence.causes, evidence.helps, evidence.gates),
        "what was done about each failure, and why what is left is accepted",
    ),
    Heading(
        "10(2)(h)",
        "gaps and shortcomings of the data",
        {},
        (evidence.unjudged, evidence.reference),
        "how the gaps are to be filled, and until when",
    ),
    Heading(
        "10(3)",
        "relevant, representative, as free of errors and as complete as can be, with fitting statistics",
        {},
        (evidence.reference, evidence.unlabelled, evidence.balance),
        "that the rows are relevant to the purpose, and how they were searched for errors",
    ),
    Heading(
        "10(4)",
        "the places, contexts and uses that the system is made for",
        {},
        (evidence.declared,),
        "for which places, people and uses the system is made, and that the rows come from such",
    ),
    Heading(
        "10(5)",
        "special categories of personal data",
        {},
        (evidence.mentions, evidence.quoted),
        "whether the rows hold such data, why biases cannot be found without them, how they are guarded and when deleted",
    ),
)


def index(audit: Facts, *, published: bool) -> list[dict[str, Any]]:
    """Return the headings, each with its evidence and what is to be attested by a person, which is never inferred.

    `audit` is what `audit.json` holds beside the index, and every number is taken from it. Evidence is in a `section` of the
    report (its id) or a `file` of the version. What `says` None is not in this run: a model, growth, a reference, the files of
    a version where none was `published`.
    """
    return [
        {
            "heading": one.heading,
            "about": one.about,
            "evidence": [
                *(_line(None, file, what, what if published else None) for file, what in one.files.items()),
                *(_shown(show, audit) for show in one.shows),
            ],
            "attest": one.attest,
        }
        for one in HEADINGS
    ]


def _shown(show: Callable[[Facts], str | None], audit: Facts) -> dict[str, str | None]:
    section, what = WHERE.get(show, (None, "gates"))
    return _line(section, None if section else "audit.json", what, show(audit))


def _line(section: str | None, file: str | None, what: str, says: str | None) -> dict[str, str | None]:
    return {"section": section, "file": file, "what": what, "says": says}
