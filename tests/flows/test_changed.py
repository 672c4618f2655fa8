"""`winnow diff` tells what changed in the audits of real versions, and says plainly where it cannot."""

import json
import re

import pytest
from click.testing import CliRunner

from corpus.store import Store
from flows import assess, changed, curate, finish
from flows.published import diff
from tests.flows import jobs
from tests.flows.test_audit import BLOCKED, STAGES, rows


def published(folder, store, stages, **more):
    """Take rows to a version with its audit beside it; return its id."""
    done = jobs.job(jobs.recipe(folder, stages=stages, **more), store)
    assess.audit_data(done)
    curate.publish(done)
    return finish.finish(done)["version"]


def diffed(a, b, store, *more):
    return CliRunner().invoke(diff, [a, b, "--store", str(store), *more])


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """Two versions of the same rows, of which the later drops those that mention a group."""
    place = tmp_path_factory.mktemp("versions")
    folder = jobs.write(place / "corpus", rows())
    gates = [{"axis": "religion"}]
    ids = [published(folder, place / "store", stages, gates=gates) for stages in (STAGES, [*STAGES, BLOCKED])]
    return place / "store", ids


def test_a_blocklist_is_told_as_worse_for_the_group_whose_words_it_has(versions):
    store, (a, b) = versions

    found = json.loads(diffed(a, b, store, "--json").stdout)["audit"]

    first = found["changes"][0]
    assert (first["verdict"], first["group"], first["stage"], first["rule"]) == (
        "worse", "muslim", "total", "impact_ratio",
    )  # fmt: skip
    assert first["high"] < 0
    assert found["verdict"]["b"] == "FAIL"
    assert {"blocklist"} == {one["stage"] for one in found["appeared"] if one["rule"] == "impact_ratio"}
    assert found["gates"][0]["b"]["verdict"] == "FAIL"
    share = next(one for one in found["shares"] if one["group"] == "muslim")
    assert (share["verdict"], share["b"]["rows"]) == ("less", 0)
    assert found["new"] == []


def test_the_page_tells_the_worst_first_and_counts_the_rest(versions):
    store, (a, b) = versions

    told = diffed(a, b, store, "--markdown", str(store / "review.md"))
    page = (store / "review.md").read_text()

    assert told.exit_code == 0
    assert "muslim (religion), the whole pipeline, impact ratio" in page
    assert re.search(
        r"\| worse \| muslim \(religion\), the whole pipeline, impact ratio \| \d\.\d\d \| 0\.00 \|", page
    )
    assert page.index("→ FAIL.**") < page.index("| worse |") < page.index("changed by more than noise")
    assert page.index("changed by more than noise") < page.index("## Splits")
    assert re.search(r"Gate religion: .* → FAIL at 0.8, report", page)
    assert "1 of them FAIL (muslim (religion), blocklist, impact ratio)" in page
    assert "changes may be missed, and no more are made up for it" in " ".join(told.stdout.split())


def test_a_version_beside_itself_changed_in_nothing(versions):
    store, (a, _) = versions

    found = json.loads(diffed(a, a, store, "--json").stdout)["audit"]

    assert {one["verdict"] for one in (*found["changes"], *found["shares"])} == {"same"}
    assert "0 changed by more than noise" in "\n".join(changed.page(found))


def test_a_version_without_an_audit_is_told_and_the_rows_are_compared(versions, tmp_path):
    store, (a, _) = versions
    bare = jobs.publish(jobs.recipe(jobs.write(tmp_path / "corpus", rows(40)), name="bare"), store)

    told = diffed(a, bare, store, "--json")
    found = json.loads(told.stdout)

    assert told.exit_code == 0
    assert found["audit"]["because"] == f"version {bare[:12]} has no audit.json"
    assert found["audit"]["changes"] == []
    assert found["rows"]["b"]
    assert f"Not compared: version {bare[:12]} has no audit.json" in " ".join(
        diffed(a, bare, store).stdout.split()
    )


@pytest.mark.parametrize("raw", [b"{}", b"[]", b"null", b'{"verdict": "PASS", "findings": []}'])
def test_an_audit_of_an_earlier_build_is_told(versions, raw):
    store, (a, b) = versions
    version = Store(store).library.open(b)
    before = version.said("audit.json")

    version.attest("audit.json", raw)
    told = diffed(a, b, store, "--json")
    version.attest("audit.json", before)

    assert told.exit_code == 0
    assert json.loads(told.stdout)["audit"]["because"].startswith(
        f"the audit.json of version {b[:12]} was written by an earlier build"
    )


def test_an_audit_that_somebody_changed_is_told(tmp_path):
    folder = jobs.write(tmp_path / "corpus", rows(60))
    version = published(folder, tmp_path / "store", STAGES)
    file = Store(tmp_path / "store").library.open(version).folder / "audit.json"
    file.write_bytes(file.read_bytes().replace(b"PASS", b"FAIL"))

    found = json.loads(diffed(version, version, tmp_path / "store", "--json").stdout)["audit"]

    assert "was changed since it was written" in found["because"]


def test_of_a_version_that_builds_on_another_it_is_said_what_its_audit_saw(tmp_path):
    folder = jobs.write(tmp_path / "corpus", rows(300))
    a = published(folder, tmp_path / "store", STAGES)
    more = "".join(json.dumps(row) + "\n" for row in rows(100, seed=8))
    (folder / "more.jsonl").write_text(more)
    b = published(folder, tmp_path / "store", STAGES)

    told = diffed(a, b, tmp_path / "store", "--json")

    assert json.loads(told.stdout)["audit"]["new"] == [b]
    assert f"Version {b[:12]} builds on another" in " ".join(diffed(a, b, tmp_path / "store").stdout.split())


def test_groups_with_markup_stay_text(tmp_path):
    name = "<b>|`x`\u202e"
    sources = [{"name": "small", "groups": ["who"]}]
    ids = []
    for share in (0.5, 0.1):
        made = [{**row, "who": name if n % 10 < 10 * share else "b"} for n, row in enumerate(rows(400))]
        folder = jobs.write(tmp_path / f"corpus {share}", made)
        sources[0]["uri"] = f"file:{folder}"
        ids.append(published(folder, tmp_path / "store", STAGES, sources=sources, name=f"n{len(ids)}"))

    diffed(*ids, tmp_path / "store", "--markdown", str(tmp_path / "page.md"))
    page = (tmp_path / "page.md").read_text()

    assert "| less |" in page
    assert "\u202e" not in page[page.index("## Audit") : page.index("## Splits")]
    assert r"\<b\>\|\`x\`" in page
    assert "<b>" not in page
