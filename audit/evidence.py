"""What an audit has to show, each in a line with the number that matters most; None where the run has no such thing.

least(audit)  ->  "the least ratio is 0.71 (0.63 to 0.80), of muslim (religion)"
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from audit.findings import OUTCOMES, TOTAL, Finding, worst
from audit.groups import MISSING, READ_OFF
from audit.page.spelt import named
from audit.page.words import GATES, cause

Facts = Mapping[str, Any]


def stages(audit: Facts) -> str | None:
    """Count the stages that dropped rows, and those that could and did not."""
    found = _of(audit, "impact_ratio")
    names = {one["stage"] for one in found} - {TOTAL}
    dropped = {one["stage"] for one in found if one["ratio"] is not None} & names
    return (
        f"{_many(len(dropped), 'stage')} that dropped rows, of {len(names):,} that could" if names else None
    )


def limits(audit: Facts) -> str | None:
    """Name what is judged by."""
    held = audit["settings"]
    return f"judged by a ratio of {held['min_impact_ratio']:g}, q of {held['alpha']:g}, and from {held['min_group']} rows on"


def sources(audit: Facts) -> str | None:
    """Count the sources and name the largest."""
    # What was grown has no source.
    groups = [group for group in _groups(audit, "source") if group["group"] != MISSING]
    if not any(group["published"]["rows"] for group in groups):
        return None
    first = max(groups, key=lambda group: group["published"]["rows"])
    share = f"{first['published']['share']:.1%} of the published rows"
    return f"{_many(len(groups), 'source')}; {named(first['group'])} has {share}"


def rows(audit: Facts) -> str | None:
    """Count the rows that came and those that are published."""
    of = next(
        (
            (one["came"]["of"], one["published"]["of"])
            for axis in audit["representation"]
            for one in axis["groups"]
        ),
        None,
    )
    return of and f"{of[0]:,} rows came, {of[1]:,} are published"


def unlabelled(audit: Facts) -> str | None:
    """Count the published rows without a label, where there are labels."""
    groups = _groups(audit, "label")
    without = sum(group["published"]["rows"] for group in groups if group["group"] == MISSING)
    of = groups[0]["published"]["of"] if groups else 0
    return f"{without:,} of {of:,} published rows have no label" if of else None


def balance(audit: Facts) -> str | None:
    """Say how many equal classes the labels amount to."""
    held = next((axis for axis in audit["representation"] if axis["axis"] == "label"), None)
    many = held and held["effective"]["published"]
    return many and f"the labels amount to {many:.1f} equal classes"


def grown(audit: Facts) -> str | None:
    """Name the group whose mentions outlived growth least."""
    found = [one for one in _of(audit, "survival") if one["n"] >= audit["settings"]["min_group"]]
    if not found:
        many = _of(audit, "survival")
        return f"{_many(len(many), 'group')}, all of too few rows to judge" if many else None
    least = min(found, key=lambda one: one["rate"])
    return f"at the least {_share(least)} of the mentions outlived growth, of {_name(least)}"


def precision(audit: Facts) -> str | None:
    """Count the mentions that were read and right."""
    read = ((audit["lexicon"] or {}).get("precision") or {}).values()
    right, of = sum(one["right"] for one in read), sum(one["read"] for one in read)
    return f"{right:,} of {of:,} mentions that were read are mentions" if of else None


def large(audit: Facts) -> str | None:
    """Count the groups that are large enough to judge."""
    found, least = _totals(audit), audit["settings"]["min_group"]
    many = sum(one["n"] >= least for one in found)
    return f"{many:,} of {_many(len(found), 'group')} have {least} rows and more" if found else None


def outcomes(audit: Facts) -> str | None:
    """Count the outcomes."""
    held = audit["counts"]
    return f"{held['FAIL']:,} findings fail, {held['PASS']:,} pass, {held['INSUFFICIENT_DATA']:,} cannot be judged"


def least(audit: Facts) -> str | None:
    """Name the groups of which the whole pipeline kept least: of those with rows enough to go and to stay, and of all others."""
    held = audit["settings"]
    found = [one for one in _totals(audit) if one["ratio"] is not None and one["n"] >= held["min_group"]]
    enough = [one for one in found if one["expected"] >= held["min_expected"]]
    if not found:
        return "no group has rows enough to be compared" if _totals(audit) else None
    of = f"of {held['min_group']} rows and more over the whole pipeline"
    told = _least(enough) if enough else "none, as of none enough rows go and stay"
    lower = min(found, key=_ratio)
    if enough and lower["ratio"] >= min(enough, key=_ratio)["ratio"]:
        return f"the least ratio of a group {of} is {told}"
    rows = f"{held['min_expected']:g} rows expected to go and to stay"
    return f"the least ratio of a group {of}, with {rows}, is {told}; with fewer, which is too little to judge, {_least(found)}"


def _least(found: Sequence[Finding]) -> str:
    first = min(found, key=_ratio)
    ratio = f"{first['ratio']:.2f} ({first['low']:.2f} to {first['high']:.2f})"
    return f"{ratio}, of {_name(first)}, {_many(first['n'], 'row')}"


def _ratio(finding: Finding) -> float:
    return float(finding["ratio"])


def probes(audit: Facts) -> str | None:
    """Count the exchanges that changed a fate."""
    held = audit["probes"]
    changed = sum(one["won"] + one["lost"] > 0 for one in held)
    return f"{changed:,} of {len(held):,} exchanges of terms changed the fate of a row" if held else None


def associations(audit: Facts) -> str | None:
    """Count the groups and labels that go together."""
    held = (audit["associations"] or {}).get("labels") or []
    sure = sum(one["q"] < audit["settings"]["alpha"] for one in held)
    return f"{sure:,} of {len(held):,} pairs of group and label are beyond chance" if held else None


def model(audit: Facts) -> str | None:
    """Name the group on which the model is right least, against all others."""
    found = [
        one
        for one in _of(audit, "accuracy")
        if not one["baseline"]
        and one["difference"] is not None
        and one["n"] >= audit["settings"]["min_group"]
    ]
    if not found:
        return None
    least = min(found, key=lambda one: one["difference"])
    ends = f"{100 * least['difference_low']:+.1f} to {100 * least['difference_high']:+.1f}"
    return f"{named(least['stage'])}: at the least {100 * least['difference']:+.1f} points ({ends}), on {_name(least)}"


def causes(audit: Facts) -> str | None:
    """Count the worst findings, and those of which it is told which stage and rule they are owed to."""
    told = worst(audit["findings"])
    owed = sum(cause(one) is not None for one in told)
    return (
        f"{_many(len(told), 'finding')}, {owed} of them with the stage and rule that they are owed to"
        if told
        else None
    )


def helps(audit: Facts) -> str | None:
    """Count what would help."""
    held = audit["remedies"]
    many = [
        _many(len(held[name]), told)
        for name, told in (("thresholds", "threshold"), ("rows", "group"), ("weights", "weighting"))
    ]
    return f"{many[0]} to move, {many[1]} to add rows to, {many[2]}" if any(held.values()) else None


def gates(audit: Facts) -> str | None:
    """Count the gates by how they were met."""
    held = audit["gates"]
    if not held:
        return None
    met = Counter(gate["verdict"] for gate in held)
    said = ", ".join(f"{met[outcome]:,} {GATES[outcome]}" for outcome in OUTCOMES if met[outcome])
    return f"{_many(len(held), 'gate')} of the recipe: {said}"


def unjudged(audit: Facts) -> str | None:
    """Count what cannot be judged, and the rows that are missing for it."""
    found = [one for one in _totals(audit) if one["verdict"] == "INSUFFICIENT_DATA" and one["needed"]]
    if not found:
        return "no group is short of rows to be judged" if _totals(audit) else None
    first = max(found, key=lambda one: one["needed"])
    return f"short of rows to be judged: {_many(len(found), 'group')}, at the most {first['needed']:,} rows, of {_name(first)}"


def reference(audit: Facts) -> str | None:
    """Count the groups that lie under a reference."""
    found = _of(audit, "representation")
    under = sum(one["verdict"] == "FAIL" for one in found)
    return f"groups that lie under a reference: {under:,} of {len(found):,}" if found else None


def declared(audit: Facts) -> str | None:
    """Name what the rows say of themselves."""
    names = [
        axis["axis"]
        for axis in audit["representation"]
        if axis["origin"] not in (*READ_OFF, "label", "source-metadata")
    ]
    return f"declared are: {', '.join(map(named, names))}" if names else None


def mentions(audit: Facts) -> str | None:
    """Name what is read off the texts."""
    names = [axis["axis"] for axis in audit["representation"] if axis["origin"] == "mention-lexicon"]
    told = ", ".join(map(named, names))
    return f"mentions in texts, no identities, of: {told}" if names else None


def quoted(audit: Facts) -> str | None:
    """Say whether the report quotes rows."""
    shown = audit["settings"]["show_text"]
    return f"this report {'may quote' if shown else 'quotes no'} words of the rows (show_text)"


def _of(audit: Facts, rule: str) -> list[Finding]:
    """Return the findings of a rule that were made over any row."""
    return [one for one in audit["findings"] if one["rule"] == rule and one["n"]]


def _totals(audit: Facts) -> list[Finding]:
    """Return what the whole pipeline did to groups; clusters are of rows that were drawn, and stand apart."""
    return [
        one
        for one in _of(audit, "impact_ratio")
        if one["stage"] == TOTAL and one["origin"] != "embedding-clusters"
    ]


def _groups(audit: Facts, axis: str) -> Sequence[Facts]:
    return next((one["groups"] for one in audit["representation"] if one["axis"] == axis), ())


def _name(one: Facts) -> str:
    return f"{named(one['group'].replace('_', ' '))} ({named(one['axis'])})"


def _share(one: Finding) -> str:
    return f"{one['rate']:.1%} ({one['low']:.1%} to {one['high']:.1%})"


def _many(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"
