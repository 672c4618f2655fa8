"""Tells what changed from one audit to another: the verdict, the numbers, and which of them by more than noise.

{"because": null, "verdict": {"a": "FAIL", "b": "PASS"}, "unlike": [], "compared": 214, "changes": [
  {"axis": "religion", "group": "muslim", "origin": "mention-lexicon", "stage": "total", "rule": "impact_ratio",
   "n": {"a": 512, "b": 498}, "scale": "log", "a": 0.71, "b": 0.96, "change": 0.30, "low": 0.12, "high": 0.48, "p": 0.001,
   "q": 0.01, "verdict": "better"}, ...], "shares": [...], "outcomes": [...], "appeared": [...], "vanished": [...], "gates": []}

Versions mostly share rows. Intervals and p here take the two samples for independent; values of shared rows are positively
correlated, so the intervals are too wide and the p too large, never the other way.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from audit.clusters import ORIGIN
from audit.crossings import BETWEEN
from audit.findings import Finding, judged_rows
from audit.groups import OTHER
from audit.shift import MORE_IS_WORSE, VALUES, same, shift
from corpus.statistics import benjamini_hochberg, difference_interval, two_by_two_p

Facts = Mapping[str, Any]
Verdict = Literal["worse", "better", "more", "less", "cannot tell", "same"]
ORDER: tuple[Verdict, ...] = ("worse", "less", "more", "better", "cannot tell", "same")

_KEY = ("axis", "group", "origin", "stage", "rule")
_ASIDE = ("show_text", "axes", "lexicon", "max_counterfactuals")
"""Settings that change no number of a group that both audits have; a lexicon counts by its digest."""
_SPOILS = {
    "max_groups": (OTHER,),
    "min_group": ("outcomes", OTHER),
    "embedding": ("probe",),
    "embedded_rows": ("probe",),
}
"""What cannot be compared where a setting differs; where another does, it is outcomes. A probe is then another model."""


def nothing(because: str) -> dict[str, Any]:
    """Return the record of audits that cannot be compared, with the reason in a sentence."""
    return {
        "because": because,
        "verdict": {"a": None, "b": None},
        "compared": 0,
        **{name: [] for name in ("unlike", "changes", "shares", "outcomes", "appeared", "vanished", "gates")},
    }


def change(a: Facts, b: Facts) -> dict[str, Any]:
    """Return what changed from the legible audit `a` to `b`.

    `changes` has each finding that both have, the worst first (`audit.shift`): `same` where its counts are equal, `better`
    or `worse` where q is under the later audit's `alpha`, else `cannot tell`. Where either has fewer than `min_group` rows,
    or both fewer than `min_expected` that are expected to go or to stay, nothing is tested. `shares` has the published share of
    each group: `more`, `less`, `cannot tell` or `same`, the difference with Newcombe's interval. q is over all that was tested of
    both, which `compared` counts. `unlike` says in what the audits themselves differ and what cannot be compared for it:
    `mentions`, the group `(other)`, `outcomes`, which were judged by other limits, or the `probe`, which is another model.
    Clusters are found anew in each audit and are no part of this.
    """
    unlike = list(_unlike(a, b))
    spoilt = {one["spoils"] for one in unlike}
    before, after = _by_key(a["findings"]), _by_key(b["findings"])
    both = [key for key in after if key in before]
    changes = [
        _changed(before[key], after[key], b["settings"], spoilt)
        for key in both
        if after[key]["rule"] in VALUES
    ]
    shares = list(_shares(a["representation"], b["representation"], spoilt))
    tested = [one for one in (*changes, *shares) if one["p"] is not None]
    for one, q in zip(tested, benjamini_hochberg([one["p"] for one in tested]), strict=True):
        if q < b["settings"]["alpha"]:
            one["verdict"] = _direction(one)
        one["q"] = q
    return {
        "because": None,
        "verdict": {"a": a["verdict"], "b": b["verdict"]},
        "compared": len(tested),
        "unlike": unlike,
        "changes": sorted(changes, key=_rank),
        "shares": sorted(shares, key=_rank),
        "outcomes": [
            {**_name(after[key]), "a": before[key]["verdict"], "b": after[key]["verdict"]}
            for key in both
            if before[key]["verdict"] != after[key]["verdict"]
        ],
        "appeared": [_told(after[key]) for key in after if key not in before],
        "vanished": [_told(before[key]) for key in before if key not in after],
        "gates": list(_gates(a["gates"], b["gates"])),
    }


def _by_key(findings: Iterable[Finding]) -> dict[tuple[str, ...], Finding]:
    named = [finding for finding in findings if finding["origin"] != ORIGIN]
    return {tuple(finding[name] for name in _KEY): finding for finding in named}


def _name(finding: Finding) -> dict[str, Any]:
    return {name: finding[name] for name in _KEY}


def _told(finding: Finding) -> dict[str, Any]:
    return {**_name(finding), "verdict": finding["verdict"], "n": finding["n"]}


def _unlike(a: Facts, b: Facts) -> Iterator[dict[str, Any]]:
    one, other = ((audit["lexicon"] or {}).get("digest") for audit in (a, b))
    if one != other:
        yield {"what": "lexicon", "a": one, "b": other, "spoils": "mentions"}
    one, other = a["settings"], b["settings"]
    for name in sorted({*one, *other} - {*_ASIDE}):
        if one.get(name) != other.get(name):
            for spoils in _SPOILS.get(name, ("outcomes",)):
                yield {"what": name, "a": one.get(name), "b": other.get(name), "spoils": spoils}


def _spoilt(one: Facts, spoilt: set[str]) -> bool:
    mention = "mentions" in spoilt and "mention-lexicon" in one["origin"].split(", ")
    return mention or (OTHER in spoilt and OTHER in one["group"].split(BETWEEN))


def _changed(a: Finding, b: Finding, settings: Facts, spoilt: set[str]) -> dict[str, Any]:
    equal = same(a, b) and not _spoilt(b, spoilt)
    least, expected = min(judged_rows(a), judged_rows(b)), max(a["expected"] or 0, b["expected"] or 0)
    enough = least >= settings["min_group"] and expected >= settings["min_expected"]
    return {
        **_name(b),
        "n": {"a": a["n"], "b": b["n"]},
        **shift(a, b, told=enough and not equal and not _spoilt(b, spoilt)),
        "q": None,
        "verdict": "same" if equal else "cannot tell",
    }


def _shares(a: Sequence[Facts], b: Sequence[Facts], spoilt: set[str]) -> Iterator[dict[str, Any]]:
    """Compare the published share of each group of the axes that both have; a group without rows may be missing in one."""
    before = {(axis["axis"], axis["origin"]): axis["groups"] for axis in a}
    for axis in b:
        found = before.get((axis["axis"], axis["origin"]))
        if found is None:
            continue
        was = {group["group"]: group["published"] for group in found}
        now = {group["group"]: group["published"] for group in axis["groups"]}
        for name in dict.fromkeys([*now, *was]):
            one, other = _published(was, name), _published(now, name)
            if one is not None and other is not None:
                place = {"axis": axis["axis"], "group": name, "origin": axis["origin"]}
                yield _share(place, one, other, told=not _spoilt(place, spoilt))


def _published(shares: Mapping[str, Facts], name: str) -> Facts | None:
    """Return a group's share; none of all rows where no row has it, None where that is not known, or there is no row."""
    of = max((share["of"] for share in shares.values()), default=0)
    if name in shares or OTHER in shares or not of:
        return shares.get(name) if of else None
    return {"rows": 0, "of": of, "share": 0.0}


def _share(place: Facts, a: Facts, b: Facts, *, told: bool) -> dict[str, Any]:
    counts = (b["rows"], b["of"], a["rows"], a["of"])
    equal = told and counts[:2] == counts[2:]
    found = difference_interval(*counts) if told and not equal else None
    return {
        **place,
        "a": {key: a[key] for key in ("rows", "of", "share")},
        "b": {key: b[key] for key in ("rows", "of", "share")},
        "change": found and found.value,
        "low": found and found.low,
        "high": found and found.high,
        "p": two_by_two_p(*counts) if found else None,
        "q": None,
        "verdict": "same" if equal else "cannot tell",
    }


def _direction(one: Facts) -> Verdict:
    up = one["change"] > 0
    if "rule" not in one:
        return "more" if up else "less"
    return "better" if up != (one["rule"] == MORE_IS_WORSE) else "worse"


def _rank(one: Facts) -> tuple[Any, ...]:
    """Order by verdict, then from the greatest loss to the greatest gain."""
    moved = one["change"] or 0.0
    if one.get("rule") == MORE_IS_WORSE:
        moved = -moved
    return (
        ORDER.index(one["verdict"]),
        moved,
        one["axis"],
        one["group"],
        one.get("stage", ""),
        one.get("rule", ""),
    )


def _gates(a: Sequence[Facts], b: Sequence[Facts]) -> Iterator[dict[str, Any]]:
    """Yield the gates that are not as they were; several of one axis are told apart by their order."""
    sides = [{(gate["axis"], number): gate for number, gate in _numbered(gates)} for gates in (a, b)]
    for axis, number in dict.fromkeys([*sides[0], *sides[1]]):
        one, other = (_gate(side.get((axis, number))) for side in sides)
        if one != other:
            yield {"axis": axis, "a": one, "b": other}


def _numbered(gates: Sequence[Facts]) -> Iterator[tuple[int, Facts]]:
    for at, gate in enumerate(gates):
        yield sum(before["axis"] == gate["axis"] for before in gates[:at]), gate


def _gate(gate: Facts | None) -> dict[str, Any] | None:
    return None if gate is None else {key: gate[key] for key in ("min_impact_ratio", "on_fail", "verdict")}
