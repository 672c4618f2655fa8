"""Classifiers side by side: what each of them says of the test rows, and how good that is."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tuning import baselines, scores
from tuning.evaluate import answers, class_log_probabilities
from tuning.settings import Metric
from tuning.template import Template, joined


def classify(
    rows: pa.Table,
    known: tuple[pa.Table, pa.Table],
    models: Iterable[tuple[str, Any]],
    template: Template,
    labels: Sequence[str],
    encode: baselines.Encode | None,
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return each classifier's log-probabilities (rows by classes), and the seconds that it took.

    `known` are the labelled rows that the baselines learn from, and those that the probe is adjusted by.
    """
    texts = _texts(rows)
    prompts, classes = asked(template, texts, labels)
    said = {"majority": baselines.majority(known[0]["label"].to_pylist(), labels, len(texts))}
    seconds = {}
    if encode is not None:
        began = time.monotonic()
        training, validation = ((_texts(part), part["label"].to_pylist()) for part in known)
        said["probe"] = baselines.probe(encode, training, validation, texts, labels)
        seconds["probe"] = time.monotonic() - began
    for name, model in models:
        began = time.monotonic()
        said[name] = class_log_probabilities(model, prompts, classes)
        seconds[name] = time.monotonic() - began
    return said, seconds


def asked(
    template: Template, texts: Sequence[str], labels: Sequence[str]
) -> tuple[list[np.ndarray], list[list[int]]]:
    """Return the prompts that ask for the class of each text, and the tokens by which each class is scored."""
    classes = answers([template.completion(label) for label in labels], template.tokenizer.eos_token_id)
    return template.ask(texts, max(map(len, classes)) + 1), classes


def judge(
    rows: pa.Table,
    said: Mapping[str, np.ndarray],
    labels: Sequence[str],
    metrics: Sequence[Metric],
    chance: scores.Chance,
) -> dict[str, Any]:
    """Return the scores of classifiers. A test row of a class that was never trained on is judged, and missed."""
    given = rows["label"].to_pylist()
    unknown = sorted(set(given) - set(labels))
    names = [*labels, *unknown]
    truth = np.array([names.index(label) for label in given])
    picked = {name: probabilities.argmax(axis=1) for name, probabilities in said.items()}
    return {
        "rows": len(truth),
        "classifiers": {
            name: {
                **{metric: scores.score(metric, truth, answer, len(names), chance) for metric in metrics},
                "per_class": scores.per_class(truth, answer, names, chance),
            }
            for name, answer in picked.items()
        },
        "comparisons": [
            scores.compare(metric, ("tuned", picked["tuned"]), (name, answer), truth, len(names), chance)
            for metric in metrics
            for name, answer in reversed(picked.items())
            if name != "tuned"
        ],
        "notes": [f"Classes of test rows that no training row has: {', '.join(unknown)}."] if unknown else [],
    }


def write_predictions(
    path: Path, rows: pa.Table, said: Mapping[str, np.ndarray], labels: Sequence[str]
) -> None:
    """Write id, label, and each classifier's answer and log-probabilities, in the order of the metadata's `labels`."""
    columns = {"id": rows["id"], "label": rows["label"]}
    for name, probabilities in said.items():
        columns[name] = pa.array([labels[at] for at in probabilities.argmax(axis=1)], pa.string())
        columns[f"{name}_log_probabilities"] = pa.array(list(probabilities), pa.list_(pa.float64()))
    pq.write_table(pa.table(columns).replace_schema_metadata({"labels": json.dumps(list(labels))}), path)


def _texts(rows: pa.Table) -> list[str]:
    return [joined(turns) for turns in rows["messages"].to_pylist()]
