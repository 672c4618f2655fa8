"""The two tasks of a run: tune on a published version, and evaluate what came of it.

A run's folder afterwards:

    adapter/             LoRA weights (safetensors) and their configuration
    training.json        base model, settings, seed, what the preflight counted, losses
    scores.json          classifiers, comparisons, skipped rows
    predictions.parquet  id, label, and of each classifier its answer and its log-probability of each class
    README.md            the model card
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.schema import UserError
from tuning import baselines, card, scores
from tuning.base_model import BaseModel, open_base
from tuning.evaluate import answers, class_log_probabilities, losses
from tuning.examples import Examples
from tuning.lora import Progress, train
from tuning.preflight import inspect
from tuning.rows import Shards, read
from tuning.settings import Evaluation, Tuning
from tuning.template import CUE, Template, joined

ADAPTER = "adapter"


def tune(
    shards: Shards,
    settings: Tuning,
    labels: Sequence[str],
    out: Path,
    *,
    version: str,
    seed: int,
    base: Path,
    cache: Path,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Tune the base model on the training rows; write `adapter/` and `training.json` to `out` and return the latter.

    `labels` are the classes (`tuning.rows.label_set`), none for a chat corpus. `base` is where relative URIs
    are looked up, `cache` where fetched and dequantised models are kept. Raises UserError where there is
    nothing to train on, and, unless the settings skip them, for rows that would train on no token.
    """
    model = open_base(settings.model, base, cache)
    template = Template(model.tokenizer(), settings.max_tokens)
    examples = template.encode(read(shards.get("train", ()), seed))
    if not len(examples):
        raise UserError(
            "tuning needs training rows; the version has none: look in the ledger which stage dropped them"
        )
    found = inspect(examples)
    found.require(settings.unsupervised)
    validation = template.encode(
        read(shards.get("validation", ()), seed, settings.validation_rows)
    ).supervising()
    out.mkdir(parents=True, exist_ok=True)
    trained = train(
        model.model(), examples.supervising(), validation, settings, seed, out / ADAPTER, progress
    )
    told = {
        "version": version,
        "base": model.about,
        "settings": settings.model_dump(mode="json"),
        "seed": seed,
        "labels": list(labels),
        "cue": CUE,
        "preflight": {**asdict(found), "validation_rows": len(validation)},
        "training": asdict(trained),
    }
    _write(out / "training.json", told)
    return told


def evaluate(
    shards: Shards,
    settings: Evaluation,
    out: Path,
    *,
    base: Path,
    cache: Path,
    sources: Mapping[str, str | None],
    encode: baselines.Encode | None = None,
) -> dict[str, Any]:
    """Judge base and tuned model on test rows; write `scores.json`, `predictions.parquet` and `README.md` to `out`.

    `out` is a folder that `tune` wrote: model, seed and classes are those of its `training.json`. `encode` makes the embeddings of the probe,
    which is left out without it. `sources` gives each source's licence for the card. Of a chat corpus the
    loss is judged, for there are no classes. Returns the scores; raises UserError where there are no test rows.
    """
    training = json.loads((out / "training.json").read_text())
    tuning = Tuning.model_validate(training["settings"])
    labels, seed = training["labels"], training["seed"]
    rows = read(shards.get("test", ()), seed, settings.rows, labelled=bool(labels))
    if not rows.num_rows:
        raise UserError(
            f"evaluation needs test rows {'with' if labels else 'without'} a label; the version has none: add the stage split"
        )
    model = open_base(tuning.model, base, cache)
    template = Template(model.tokenizer(), tuning.max_tokens)
    chance = scores.Chance(settings.level, seed)
    told: dict[str, Any] = {
        "version": training["version"],
        "settings": settings.model_dump(mode="json"),
        "labels": labels,
        "skipped": [{"split": "train", **row} for row in training["preflight"]["unsupervised"]],
        "notes": [],
    }
    if labels:
        said, seconds = _classified(shards, rows, model, template, tuning, out, labels, seed, encode)
        told |= _classes(rows, said, labels, settings, chance)
        _write_predictions(out / "predictions.parquet", rows, said, labels)
    else:
        examples = template.encode(rows)
        told["skipped"] += [{"split": "test", **asdict(row)} for row in inspect(examples).unsupervised]
        nll, seconds = _answered(model, examples.supervising(), out)
        told |= _losses(nll, examples.supervising(), chance)
    told["seconds"] = seconds
    _write(out / "scores.json", told)
    (out / "README.md").write_text(card.render(training, told, sources))
    return told


def _classified(
    shards: Shards,
    rows: pa.Table,
    model: BaseModel,
    template: Template,
    tuning: Tuning,
    out: Path,
    labels: Sequence[str],
    seed: int,
    encode: baselines.Encode | None,
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return each classifier's log-probabilities, rows by classes, and the seconds that it took."""
    classes = answers([template.completion(label) for label in labels], template.tokenizer.eos_token_id)
    texts = _texts(rows)
    prompts = template.ask(texts, max(map(len, classes)) + 1)
    training, validation = (
        read(shards.get(split, ()), seed, limit, labelled=True)
        for split, limit in (("train", None), ("validation", tuning.validation_rows))
    )
    said = {"majority": baselines.majority(training["label"].to_pylist(), labels, len(texts))}
    seconds = {}
    if encode is not None:
        began = time.monotonic()
        learnt, held_out = ((_texts(part), part["label"].to_pylist()) for part in (training, validation))
        said["probe"] = baselines.probe(encode, learnt, held_out, texts, labels)
        seconds["probe"] = time.monotonic() - began
    loaded = model.model()
    for name in ("base", "tuned"):
        began = time.monotonic()
        loaded = loaded if name == "base" else _adapted(loaded, out)
        said[name] = class_log_probabilities(loaded, prompts, classes)
        seconds[name] = time.monotonic() - began
    return said, seconds


def _classes(
    rows: pa.Table,
    said: Mapping[str, np.ndarray],
    labels: Sequence[str],
    settings: Evaluation,
    chance: scores.Chance,
) -> dict[str, Any]:
    """Return the scores of classifiers. A test row of a class that was not trained on is judged, and missed."""
    given = rows["label"].to_pylist()
    names = [*labels, *sorted(set(given) - set(labels))]
    truth = np.array([names.index(label) for label in given])
    picked = {name: probabilities.argmax(axis=1) for name, probabilities in said.items()}
    notes = (
        [f"{len(names) - len(labels)} classes of the test rows were never trained on"]
        if len(names) > len(labels)
        else []
    )
    return {
        "rows": len(truth),
        "classifiers": {
            name: {
                **{
                    metric: scores.score(metric, truth, answer, len(names), chance)
                    for metric in settings.metrics
                },
                "per_class": scores.per_class(truth, answer, names, chance),
            }
            for name, answer in picked.items()
        },
        "comparisons": [
            scores.compare(metric, ("tuned", picked["tuned"]), (name, answer), truth, len(names), chance)
            for metric in settings.metrics
            for name, answer in reversed(picked.items())
            if name != "tuned"
        ],
        "notes": notes,
    }


def _answered(
    model: BaseModel, examples: Examples, out: Path
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return each model's negative log-likelihood of the answers, row by row, and the seconds that it took."""
    loaded, found, seconds = model.model(), {}, {}
    for name in ("base", "tuned"):
        began = time.monotonic()
        loaded = loaded if name == "base" else _adapted(loaded, out)
        found[name] = losses(loaded, examples)
        seconds[name] = time.monotonic() - began
    return found, seconds


def _losses(nll: Mapping[str, np.ndarray], examples: Examples, chance: scores.Chance) -> dict[str, Any]:
    if not len(examples):
        raise UserError(
            "evaluation needs test rows with a turn of role assistant; no sampled row has one: see scores of the preflight"
        )
    tokens = examples.supervised
    return {
        "rows": len(examples),
        "classifiers": {name: {"loss": scores.loss(found, tokens, chance)} for name, found in nll.items()},
        "comparisons": [scores.compare_loss(("tuned", nll["tuned"]), ("base", nll["base"]), tokens, chance)],
        "notes": [
            "The rows have no classes, so accuracy, macro-F1 and the baselines are not applicable;"
            " the loss, in nats a token of held-out answers, says how well they are foretold, not how good they are."
        ],
    }


def _adapted(model: Any, out: Path) -> Any:
    """Return the model with the adapters merged into its weights, which spares their share of the work."""
    from peft import PeftModel

    return PeftModel.from_pretrained(model, out / ADAPTER).merge_and_unload()


def _texts(rows: pa.Table) -> list[str]:
    return [joined(turns) for turns in rows["messages"].to_pylist()]


def _write_predictions(
    path: Path, rows: pa.Table, said: Mapping[str, np.ndarray], labels: Sequence[str]
) -> None:
    """Write the answers; the log-probabilities stand in the order of the metadata's `labels`."""
    columns = {"id": rows["id"], "label": rows["label"]}
    for name, probabilities in said.items():
        columns[name] = pa.array([labels[at] for at in probabilities.argmax(axis=1)], pa.string())
        columns[f"{name}_log_probabilities"] = pa.array(list(probabilities), pa.list_(pa.float64()))
    pq.write_table(pa.table(columns).replace_schema_metadata({"labels": json.dumps(list(labels))}), path)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n")
