"""The model card: what a tuned model was made from, how good it is, and what it is not."""

from collections.abc import Mapping
from typing import Any

import yaml


def render(training: Mapping[str, Any], scores: Mapping[str, Any], sources: Mapping[str, str | None]) -> str:
    """Return README.md of a tuned model; `sources` gives each source's licence, as the recipe states it."""
    base, done = training["base"], training["training"]
    front = {
        "base_model": base["uri"],
        "library_name": "peft",
        "license": base.get("licence", "other"),
        "pipeline_tag": "text-generation",
        "tags": ["lora", "winnow"],
    }
    return "\n".join(
        [
            "---",
            yaml.safe_dump(front, sort_keys=True).strip(),
            "---",
            "",
            f"# {_title(training)}",
            "",
            *_origin(training, sources),
            "",
            "## Scores",
            "",
            *_scores(scores),
            "",
            "## Training",
            "",
            _counted(training),
            f"{len(scores['skipped'])} rows were skipped (`scores.json` names them).",
            f"{done['steps']} steps; the adapters of step {done['best_step']} had the lowest validation loss and were kept.",
            f"Settings: `{yaml.safe_dump(training['settings'], default_flow_style=True, width=10_000).strip()}`, seed {training['seed']}.",
            "",
            "## Limits",
            "",
            *_limits(training, scores),
            "",
        ]
    )


def _counted(training: Mapping[str, Any]) -> str:
    found = training["preflight"]
    return (
        f"{found['rows']} rows of {found['tokens']} tokens, {found['supervised']} of which bear the loss;"
        f" {found['truncated']} rows were cut to {training['settings']['max_tokens']} tokens."
    )


def _title(training: Mapping[str, Any]) -> str:
    classes = training["labels"]
    return f"Classifier of {', '.join(classes)}" if classes else "Assistant tuned on a chat corpus"


def _origin(training: Mapping[str, Any], sources: Mapping[str, str | None]) -> list[str]:
    base = training["base"]
    told = ", ".join(f"{name} {base[name]}" for name in ("name", "quantisation") if name in base)
    licence = base.get("licence", "not stated by the model")
    return [
        f"LoRA adapters for `{base['uri']}`{f' ({told})' if told else ''}, sha256 `{base['sha256']}`, licence {licence}.",
        f"Trained on the dataset version `{training['version']}`, whose manifest and ledger account for each row.",
        "",
        *[
            f"- source {name}: {licence or 'licence not stated in the recipe'}"
            for name, licence in sources.items()
        ],
    ]


def _scores(scores: Mapping[str, Any]) -> list[str]:
    metrics = [
        name
        for name in ("accuracy", "f1_macro", "loss")
        if name in next(iter(scores["classifiers"].values()))
    ]
    level = scores["settings"]["level"]
    return [
        f"On {scores['rows']} test rows, with intervals of {level:.0%}.",
        "",
        f"| model | {' | '.join(metrics)} |",
        f"| --- |{' --- |' * len(metrics)}",
        *[
            f"| {name} | {' | '.join(_interval(found[metric]) for metric in metrics)} |"
            for name, found in scores["classifiers"].items()
        ],
        "",
        *[f"- {comparison['sentence']}." for comparison in scores["comparisons"]],
    ]


def _interval(metric: Mapping[str, float]) -> str:
    return f"{metric['value']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"


def _limits(training: Mapping[str, Any], scores: Mapping[str, Any]) -> list[str]:
    said = [
        "One seed: the intervals tell what other test rows would have shown, not what another seed would have.",
        "The test rows come from the same sources as the training rows; nothing is known of other texts.",
        *scores["notes"],
    ]
    if "quantisation" in training["base"]:
        said.append(
            f"The base weights were rounded ({training['base']['quantisation']}) before they were tuned."
        )
    return [f"- {line}" for line in said]
