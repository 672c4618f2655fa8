"""What a short demo must have got right: the accounting, the keys, the verdicts, the version id; not the scores."""

import hashlib
import json
import sys
from importlib.resources import files
from pathlib import Path

import rfc8785
from jsonschema import Draft202012Validator

KEYS = {
    "run",
    "version",
    "rows",
    "stages",
    "audit",
    "scores",
    "comparison",
    "report",
    "seconds",
    "peak_rss_mb",
}
METRIC = {"value", "low", "high", "n"}
COMPARISON = {"metric", "of", "against", "difference", "low", "high", "n", "p", "mde", "verdict"}
FINDING = {"verdict", "axis", "group", "stage", "rule", "ratio", "low", "high", "n", "q"}


def check(held: dict, limit: int) -> None:
    """Raise AssertionError with what is wrong."""
    assert set(held) >= KEYS, KEYS - set(held)
    rows = held["rows"]
    assert rows["in"] == limit, rows
    assert rows["in"] + rows["grown"] == rows["rejected"] + rows["kept"] + rows["dropped"], rows
    assert rows["grown"] > 0, rows
    for stage in held["stages"]:
        assert stage["in"] + stage.get("grown", 0) == stage["out"] + sum(stage["dropped"].values()), stage
    assert rows["dropped"] == sum(sum(stage["dropped"].values()) for stage in held["stages"]), rows
    manifest = json.loads(
        (Path(held["report"]).parents[2] / "versions" / held["version"] / "manifest.json").read_text()
    )
    assert manifest.pop("version") == held["version"], held["version"]
    assert held["version"] == hashlib.sha256(rfc8785.dumps(manifest)).hexdigest(), held["version"]
    assert held["audit"]["verdict"] in ("PASS", "FAIL", "INSUFFICIENT_DATA"), held["audit"]["verdict"]
    assert held["audit"]["findings"]
    for finding in held["audit"]["findings"]:
        assert set(finding) >= FINDING, finding
        assert finding["verdict"] in ("PASS", "FAIL", "INSUFFICIENT_DATA", "NOT_APPLICABLE"), finding
    schema = json.loads((files("audit") / "audit.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(
        json.loads((Path(held["report"]).parent / "audit.json").read_text())
    )
    assert set(held["scores"]) >= {"majority", "probe", "base", "tuned"}, held["scores"]
    for scores in held["scores"].values():
        for metric in ("accuracy", "f1_macro"):
            assert set(scores[metric]) >= METRIC, scores
            assert scores[metric]["low"] <= scores[metric]["value"] <= scores[metric]["high"], scores
    assert held["comparison"]
    for told in held["comparison"]:
        assert set(told) >= COMPARISON, told
        assert told["verdict"] in ("better", "worse", "cannot tell"), told
    assert Path(held["report"]).read_text().lower().startswith("<!doctype html>"), held["report"]


if __name__ == "__main__":
    check(json.loads(Path(sys.argv[1]).read_text()), limit=600)
    sys.stdout.write("the short demo holds\n")
