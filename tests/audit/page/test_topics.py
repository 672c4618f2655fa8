"""A cluster is named by words that its own rows share, as text, where text is shown, and never in `audit.json`."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa

from audit.findings import record, settle
from audit.groups import AuditSettings, Membership
from audit.page.report import ReportFacts, render
from audit.page.topics import topics
from audit.retention import retention
from audit.steps import Step
from tests.audit.page.test_report import Page


def quotes(**texts):
    return [{"cluster": name[1:], "text": text} for name, mine in texts.items() for text in mine]


def test_words_are_those_that_a_clusters_rows_share_and_others_have_not():
    told = topics(
        quotes(
            c1=["The Claritin is clear", "claritin, the D of http://t.co/ab12", "CLARITIN of @the_sky"],
            c2=["the flight of http://t.co/ab12 is late", "a late flight, the of"],
            c3=["one the of", "two the of"],
        )
    )

    assert told == {"1": "claritin", "2": "flight, late"}


def test_where_there_are_no_rows_and_no_words_nothing_is_said():
    assert topics([]) == {}
    assert topics(quotes(c1=["w" * 99, "w" * 99])) == {}
    assert topics(quotes(c1=["", "12 34 \u202e"], c2=["http://a.example/word http://a.example/word"])) == {}


def facts(texts):
    """A cluster of 100 rows of which half go, and 900 others."""
    at, settings = np.arange(1_000), AuditSettings()
    members = [Membership("cluster", "7", "embedding-clusters", at < 100)]
    step = Step("length", at >= 0, np.where(at < 100, at % 2 == 0, True), pa.array(["too_short"] * 1_000))
    held = record(settle(retention([step], members, settings, 1), settings), settings)
    held["embedded"] = {"model": "m", "rows": 1_000, "came": 1_000, "published": 950}
    return ReportFacts(title="t", audit=held, clusters=quotes(c7=texts))


def test_a_cluster_is_named_where_it_is_first_told():
    told = facts(["Claritin clear", "more claritin"])

    words = " ".join("".join(Page(render(told)).text).split())

    assert words.index("100 rows of cluster 7 (claritin; of rows drawn)") < words.index(
        "Cluster 7 (claritin)"
    )
    assert "claritin" not in json.dumps(told.audit).casefold()
    assert "claritin" not in render(replace(told, shows_text=False)).casefold()


def test_hostile_words_stay_text():
    text = "</script><script>alert(1)</script> \u202egnp"

    html = render(facts([text, text]))

    assert Page(html).tags.count("script") == 1
    assert "\u202e" not in html
