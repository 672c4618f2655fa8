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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpus.language_model import open_model
from corpus.schema import UserError
from tuning import card, scores
from tuning.baselines import Encode
from tuning.classification import classify, judge, write_predictions
from tuning.evaluate import losses
from tuning.examples import Examples
from tuning.lora import Progress, train
from tuning.preflight import inspect
from tuning.rows import Shards, read
from tuning.settings import Evaluation, Tuning
from tuning.template import CUE, Template
from tuning.tuned import base_and_tuned

ADAPTER = "adapter"

_NO_CLASSES = (
    "The rows have no classes, so accuracy, macro-F1 and the baselines are not applicable;"
    " the loss, in nats a token of held-out answers, says how well they are foretold, not how good they are."
)


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
    model = open_model(settings.model, base, cache)
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
    encode: Encode | None = None,
) -> dict[str, Any]:
    """Judge base and tuned model on test rows; write `scores.json`, `predictions.parquet` and `README.md` to `out`.

    `out` is a folder that `tune` wrote: model, seed and classes are those of its `training.json`. `encode`
    makes the embeddings of the probe, which is left out without it. `sources` gives each source's licence for
    the card. Of a chat corpus the loss is judged, for there are no classes. Returns the scores; raises
    UserError where there are no test rows.
    """
    training = json.loads((out / "training.json").read_text())
    tuning = Tuning.model_validate(training["settings"])
    labels, seed = training["labels"], training["seed"]
    rows = read(shards.get("test", ()), seed, settings.rows, labelled=bool(labels))
    if not rows.num_rows:
        raise UserError(
            f"evaluation needs test rows {'with' if labels else 'without'} a label; the version has none: add the stage split"
        )
    model = open_model(tuning.model, base, cache)
    template = Template(model.tokenizer(), tuning.max_tokens)
    chance = scores.Chance(settings.level, seed)
    told: dict[str, Any] = {
        "version": training["version"],
        "settings": settings.model_dump(mode="json"),
        "labels": labels,
        "skipped": [{"split": "train", **row} for row in training["preflight"]["unsupervised"]],
        "notes": [],
    }
    models = base_and_tuned(model, out / ADAPTER)
    if labels:
        learnt, held_out = (
            read(files, seed, limit, labelled=True)
            for files, limit in (
                (shards.get("train", ()), None),
                (shards.get("validation", ()), tuning.validation_rows),
            )
        )
        said, told["seconds"] = classify(rows, (learnt, held_out), models, template, labels, encode)
        told |= judge(rows, said, labels, settings.metrics, chance)
        write_predictions(out / "predictions.parquet", rows, said, labels)
    else:
        examples = template.encode(rows)
        told["skipped"] += [{"split": "test", **asdict(row)} for row in inspect(examples).unsupervised]
        told |= _foretold(examples.supervising(), models, chance)
    _write(out / "scores.json", told)
    (out / "README.md").write_text(card.render(training, told, sources))
    return told


def _foretold(examples: Examples, models: Iterable[tuple[str, Any]], chance: scores.Chance) -> dict[str, Any]:
    """Return the scores of models by how well they foretell held-out answers."""
    if not len(examples):
        raise UserError(
            "evaluation needs test rows with a turn of role assistant; no sampled row has one: look at the source"
        )
    nll, seconds = {}, {}
    for name, model in models:
        began = time.monotonic()
        nll[name] = losses(model, examples)
        seconds[name] = time.monotonic() - began
    tokens = examples.supervised
    return {
        "rows": len(examples),
        "classifiers": {name: {"loss": scores.loss(found, tokens, chance)} for name, found in nll.items()},
        "comparisons": [scores.compare_loss(("tuned", nll["tuned"]), ("base", nll["base"]), tokens, chance)],
        "notes": [_NO_CLASSES],
        "seconds": seconds,
    }


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n")
