"""A version that a gate stopped: who lets it pass, what stays of that beside the version, and when nobody can."""

import getpass
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from corpus.forgetting.find import Wanted
from corpus.schema import UserError
from corpus.store import Store
from corpus.versions.verify import verify
from flows import approval, finish, versions
from flows.forget import forget
from flows.release import release
from tests.flows import gated, jobs
from tests.flows.test_versions import call

APPROVAL = "attestations/approval.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run that a gate stopped, and the folder of its corpus and its store."""
    folder = tmp_path_factory.mktemp("made")
    return gated.run(gated.recipe(gated.corpus(folder)), folder), folder


@pytest.fixture
def stopped(made, tmp_path):
    """The same in a folder of the test's own."""
    shutil.copytree(made[1], tmp_path, dirs_exist_ok=True)
    return made[0], tmp_path


def test_a_run_that_is_stopped_leaves_a_candidate_with_report_audit_and_ledger(stopped):
    summary, store = stopped
    library = Store(store).library
    version = library.open("small@candidate")

    assert version.id == summary["version"]
    assert library.names.log("small") == []
    assert version.attested("audit.json")["gates"][0]["verdict"] == "FAIL"
    assert (
        version.said("report.html").decode() == (store / "runs" / summary["run"] / "report.html").read_text()
    )
    assert version.ledger.num_rows == 100
    assert verify(library, version.id, deep=True)["problems"] == []


def test_what_stopped_it_says_gate_group_number_and_how_to_approve(made):
    summary, store = made
    (gate,) = summary["audit"]["gates"]
    failed = next(one for one in gate["failed"] if one["stage"] == "blocklist")

    told = (
        f"gate kind: odd is kept 0.00 times as often as the others ({failed['low']:.2f} to {failed['high']:.2f}, n 100) "
        "by blocklist, under 0.8, and 1 more"
    )
    assert summary["stopped"] == (
        f"{told}; the run ended at version {summary['version'][:12]}; "
        f"to approve it: winnow release {summary['run']} --store {store} --reason TEXT"
    )


@pytest.mark.parametrize("which", ["run", "latest", "small@candidate", "version"])
def test_a_release_moves_the_name_and_stays_beside_the_version(stopped, which):
    summary, store = stopped
    library = Store(store).library
    before = datetime.now(UTC).replace(microsecond=0)

    said = release(summary.get(which, which), " only advertisements ", store, "ada")

    (entry,) = library.open("small").attested(APPROVAL)
    failed = summary["audit"]["gates"][0]["failed"]
    numbers = ("group", "stage", "ratio", "low", "high", "n")
    assert (said["version"], said["name"], said["n"]) == (summary["version"], "small", 1)
    assert library.open("small").id == summary["version"]
    assert (entry["by"], entry["reason"], entry["run"]) == ("ada", "only advertisements", summary["run"])
    assert before <= datetime.fromisoformat(entry["at"]) <= datetime.now(UTC)
    assert [(gate["axis"], gate["min_impact_ratio"]) for gate in entry["gates"]] == [("kind", 0.8)]
    assert sorted(entry["gates"][0]["failed"], key=str) == sorted(
        ({name: one[name] for name in numbers} for one in failed), key=str
    )
    assert verify(library, "small", deep=True)["problems"] == []


def test_an_approval_that_is_changed_by_hand_is_a_problem_of_the_version(stopped):
    summary, store = stopped
    release("latest", "only advertisements", store, "ada")
    file = store / "versions" / summary["version"] / APPROVAL

    file.write_text(file.read_text().replace("ada", "eve"))

    assert verify(Store(store).library, "small")["problems"] == [f"{APPROVAL}: changed since it was written"]


def test_who_approves_is_the_systems_user_by_default(stopped):
    _, store = stopped

    assert release("latest", "only advertisements", store)["by"] == getpass.getuser()


def test_the_report_and_the_log_show_who_approved_and_nothing_is_markup(stopped, capsys):
    summary, store = stopped
    release("latest", "<script>alert(1)</script> \u202e\x1b[31m", store, "<b>ada</b>")

    pages = [
        (store / "runs" / summary["run"] / "report.html").read_text(),
        (store / "versions" / summary["version"] / "report.html").read_text(),
    ]
    held = versions.log("small", store)
    versions.show_log(held)

    assert pages[0] == pages[1]
    banner = pages[0][pages[0].index('id="verdict"') : pages[0].index('id="worst"')]
    assert "Approved by &lt;b&gt;ada&lt;/b&gt;" in banner
    assert banner.count("odd at the whole pipeline") == 1
    assert "&lt;script&gt;alert(1)" in banner
    assert not re.search(r"<b>ada|<script>alert|\u202e|\x1b", pages[0])
    assert [one["by"] for one in held["log"][0]["approvals"]] == ["<b>ada</b>"]
    printed = capsys.readouterr().out
    assert "was approved by <b>ada</b>" in printed
    assert "\x1b" not in printed


def test_a_version_that_waits_says_so_in_its_report(stopped):
    summary, store = stopped

    page = (store / "versions" / summary["version"] / "report.html").read_text()

    assert "which stops a run. Failed by odd at the whole pipeline (0.00" in re.sub(r"<[^>]+>", "", page)
    assert "Approved by" not in page


def test_an_approved_version_is_not_stopped_again_by_the_same_failure(stopped):
    summary, store = stopped
    release("latest", "only advertisements", store, "ada")

    again = gated.run(gated.recipe(store / "corpus"), store)

    assert (again["version"], again["unchanged"], "stopped" in again) == (summary["version"], True, False)
    assert again["audit"]["gates"][0]["verdict"] == "FAIL"


def test_another_bound_is_another_gate_and_all_approvals_are_kept(stopped):
    _, store = stopped
    release("latest", "only advertisements", store, "ada")
    gates = [{"axis": "kind", "min_impact_ratio": 0.9, "on_fail": "stop"}]

    stricter = gated.recipe(store / "corpus", gates=gates)
    again = gated.run(stricter, store)
    release("latest", "still only advertisements", store, "grace")
    after = gated.run(stricter, store)

    approved = Store(store).library.open("small").attested(APPROVAL)
    assert "under 0.9" in again["stopped"]
    assert "stopped" not in after
    assert [(one["by"], one["gates"][0]["min_impact_ratio"]) for one in approved] == [
        ("ada", 0.8),
        ("grace", 0.9),
    ]
    assert [entry.n for entry in Store(store).library.names.log("small")] == [1]


def test_a_gate_that_fails_for_one_group_more_is_not_approved_by_the_old_word():
    one = {"group": "odd", "stage": "total", "ratio": 0.5, "low": 0.4, "high": 0.6, "n": 100}
    gate = {"axis": "kind", "min_impact_ratio": 0.8, "failed": [one]}
    more = {**gate, "failed": [one, {**one, "group": "even"}]}
    worse = {**gate, "failed": [{**one, "ratio": 0.4}]}
    approved = [{"gates": [gate]}]

    assert approval.waiting([gate], approved) == []
    for other in (more, worse, {**gate, "axis": "label"}, {**gate, "min_impact_ratio": 0.7}):
        assert approval.waiting([other], approved) == [other]
    assert approval.waiting([gate], []) == [gate]


def test_an_increment_that_fails_anew_is_stopped_and_the_name_stays(stopped):
    summary, store = stopped
    release("latest", "only advertisements", store, "ada")
    jobs.write(store / "corpus" / "more", gated.records(200, 400))

    more = gated.run(gated.recipe(store / "corpus"), store)
    library = Store(store).library

    assert more["builds_on"]["version"] == summary["version"]
    assert "odd is kept 0.00 times" in more["stopped"]
    assert library.open("small").id == summary["version"]
    assert library.open("small@candidate").id == more["version"]
    release("latest", "these too", store, "ada")
    assert library.open("small").id == more["version"]


def test_a_recipe_that_no_longer_stops_needs_no_approval(stopped):
    summary, store = stopped
    gates = [{"axis": "kind", "on_fail": "report"}]

    after = gated.run(gated.recipe(store / "corpus", gates=gates), store)

    assert "stopped" not in after
    assert Store(store).library.open("small").id == summary["version"]


def test_a_released_version_still_lacks_what_the_recipe_wants_of_models(tmp_path):
    """The release says so, and the next run over the same sources finds it to do; it is not stopped again."""
    models = {"tuning": {"method": "lora", "model": "file:model"}, "evaluation": {"probe": None}}
    held = gated.recipe(gated.corpus(tmp_path), **models)
    gated.run(held, tmp_path)

    said = release("latest", "only advertisements", tmp_path, "ada")
    version = Store(tmp_path).library.open("small")
    missing = []
    for file in (finish.TRAINING, finish.SCORES):
        missing.append(finish.asks_nothing(held, version))
        version.attest(file, b"{}")

    assert said["left"] == ["tuning", "evaluation"]
    assert missing == [False, False]
    assert finish.asks_nothing(held, version)


def test_a_gate_that_nobody_approved_is_something_to_be_asked(tmp_path):
    held = gated.recipe(gated.corpus(tmp_path))
    version = Store(tmp_path).library.open(gated.run(held, tmp_path)["version"])

    assert not finish.asks_nothing(held, version)
    release("latest", "only advertisements", tmp_path, "ada")
    assert finish.asks_nothing(held, version)


# --- when nobody can


def published(store: Path) -> dict[Path, bytes]:
    """Return the bytes of all that is said of versions and names."""
    files = [*store.glob("versions/**/*"), *store.glob("refs/**/*")]
    return {path: path.read_bytes() for path in files if path.is_file()}


def refused(said: str, name: str, reason: str, store: Path, **more: str) -> None:
    before = published(store)

    with pytest.raises(UserError, match=said):
        release(name, reason, store, **more)

    assert published(store) == before


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_release_needs_a_reason(stopped, reason):
    refused("needs a reason", "latest", reason, stopped[1])


def test_a_release_needs_a_name(stopped):
    refused("needs a name", "latest", "a reason", stopped[1], by=" ")


def test_a_run_that_no_gate_stopped_is_not_released(tmp_path):
    summary = gated.run(gated.recipe(gated.corpus(tmp_path), gates=[]), tmp_path)

    refused("was not stopped by a gate", summary["run"], "a reason", tmp_path)
    refused("was not stopped by a gate", summary["version"], "a reason", tmp_path)
    refused("no version or ref", "nothing", "a reason", tmp_path)


def test_a_run_of_which_no_row_is_left_is_not_released(tmp_path):
    corpus = jobs.write(tmp_path / "corpus", [{"text": "forbidden", "label": "a", "kind": "odd"}] * 40)
    sources = [{"name": "small", "uri": str(corpus), "groups": ["kind"]}]
    done = jobs.job(gated.recipe(corpus, sources=sources), tmp_path)

    refused("was not stopped by a gate at a version", done.folder.name, "a reason", tmp_path)


def test_a_limited_run_is_not_released(tmp_path):
    summary = gated.run(gated.recipe(gated.corpus(tmp_path)), tmp_path, limit=150)

    assert "a limited run and gets no name" in summary["stopped"]
    assert Store(tmp_path).library.names.all() == []
    refused("limited run", summary["run"], "a reason", tmp_path)


def test_a_run_that_publishes_nothing_has_no_candidate(tmp_path):
    held = gated.recipe(gated.corpus(tmp_path), shards={"publish": False})

    summary = gated.run(held, tmp_path)

    assert "nothing to approve" in summary["stopped"]
    assert summary["version"] is None
    refused("was not stopped by a gate at a version", summary["run"], "a reason", tmp_path)


def test_a_candidate_behind_which_a_newer_one_came_is_not_released(stopped):
    first, store = stopped
    jobs.write(store / "corpus" / "more", gated.records(200, 300))
    second = gated.run(gated.recipe(store / "corpus"), store)

    refused("is the candidate of 'small' no more", first["run"], "a reason", store)
    assert release(second["run"], "a reason", store)["version"] == second["version"]


def test_where_the_name_was_given_meanwhile_nothing_is_released(stopped):
    summary, store = stopped
    names = Store(store).library.names
    other = jobs.publish(gated.recipe(store / "corpus", seed=8, gates=[]), store)

    refused(f"was given to version {other[:12]} since", summary["run"], "a reason", store)
    assert names.last("small").version == other


def test_a_withdrawn_candidate_is_not_released(stopped):
    summary, store = stopped
    names = Store(store).library.names
    names.give("small@candidate", None, names.last("small@candidate").n)
    versions.withdraw(summary["version"], "not ours", store)

    refused("was withdrawn on .*: not ours", summary["run"], "a reason", store)


def test_a_candidate_with_a_row_that_was_forgotten_is_not_released_and_the_one_without_it_is(stopped):
    summary, store = stopped
    forget(Wanted(None, None, "row 10 of"), store, "asked to", quiet=True)

    refused(
        "holds rows that were forgotten .*small@candidate means one without them",
        summary["run"],
        "a reason",
        store,
    )
    said = release("small@candidate", "a reason", store, "ada")
    assert said["version"] != summary["version"]
    assert "row 10 of" not in (store / "versions" / said["version"] / "report.html").read_text()


def test_what_is_forgotten_of_an_approved_version_leaves_it_approved(stopped):
    summary, store = stopped
    release("latest", "only advertisements", store, "ada")

    forget(Wanted(None, None, "row 10 of"), store, "asked to", quiet=True)
    again = gated.run(gated.recipe(store / "corpus"), store)

    assert again["version"] != summary["version"]
    assert "stopped" not in again
    page = (store / "versions" / again["version"] / "report.html").read_text()
    assert "Approved by ada" in page


def test_what_is_released_already_is_not_released_twice(stopped):
    _, store = stopped
    release("latest", "a reason", store)

    refused("is approved, and 'small' means it already", "latest", "again", store)


def test_a_release_that_broke_off_before_the_name_moved_is_taken_up_again(stopped):
    summary, store = stopped
    library = Store(store).library
    version = library.open(summary["version"])
    approval.approve(
        version, "small", approval.stops(version)["small"]["gates"], summary["run"], "a reason", "ada"
    )

    release("latest", "a reason", store, "grace")

    assert library.open("small").id == version.id
    assert [one["by"] for one in version.attested(APPROVAL)] == ["ada", "grace"]


def test_a_rollback_is_no_way_round_a_gate(stopped):
    summary, store = stopped
    held = gated.recipe(store / "corpus", seed=8, gates=[])
    other = jobs.publish(held, store)

    with pytest.raises(UserError, match="was stopped by a gate, and 'small' never meant it"):
        versions.roll_back("small", summary["version"], store)
    assert Store(store).library.open("small").id == other


def test_the_command_answers_in_json_and_a_users_mistake_is_status_2(stopped):
    summary, store = stopped

    _, empty = call("release", "latest", "--reason", " ", store=store, status=2)
    said, _ = call("release", summary["run"], "--reason", "only advertisements", "--by", "ada", store=store)
    _, twice = call("release", "latest", "--reason", "again", store=store, status=2)

    assert empty.count("\n") == 1
    assert "needs a reason" in empty
    assert (said["version"], said["by"], said["left"]) == (summary["version"], "ada", [])
    assert "means it already" in twice


def test_what_is_approved_for_one_name_is_not_for_another(tmp_path):
    """Two recipes make one version, and the gate of each stops it: who approves the one said nothing of the other."""
    corpus = gated.corpus(tmp_path)
    for name in ("small", "other"):
        gated.run(gated.recipe(corpus, name=name), tmp_path)
    library = Store(tmp_path).library

    release("small@candidate", "for small", tmp_path, "ada")

    assert library.names.last("small").version == library.names.last("other@candidate").version
    assert library.names.log("other") == []
    assert "stopped" in gated.run(gated.recipe(corpus, name="other"), tmp_path)
    with pytest.raises(UserError, match="say which is meant: other@candidate, small@candidate"):
        release(library.open("small").id, "for which", tmp_path, "ada")


def test_a_candidate_that_nobody_judged_is_not_rolled_back_to(stopped):
    summary, store = stopped
    jobs.publish(jobs.recipe(jobs.write(store / "others", jobs.records(30))), store)
    version = Store(store).library.open(summary["version"])
    (version.folder / "audit.json").unlink()

    with pytest.raises(UserError, match="was never judged"):
        versions.roll_back("small", version.id, store)
