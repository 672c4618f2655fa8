"""Asks a run's models of texts that are no rows: how likely each class is, said by the base model and by the tuned one."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from corpus.language_model import open_model
from tuning.classification import asked
from tuning.evaluate import class_log_probabilities
from tuning.run import ADAPTER
from tuning.settings import Tuning
from tuning.template import Template
from tuning.tuned import base_and_tuned


def ask(out: Path, texts: Sequence[str], *, base: Path, cache: Path) -> dict[str, np.ndarray]:
    """Return the log-probabilities of the classes (float64, texts by classes) of "base" and "tuned".

    `out` is a folder that `tuning.run.tune` wrote for rows with classes; `base` and `cache` are as there. The model is
    loaded once. A text is asked as an evaluated row is: the same text gets the same numbers.
    """
    training = json.loads((out / "training.json").read_text())
    tuning = Tuning.model_validate(training["settings"])
    model = open_model(tuning.model, base, cache)
    prompts, classes = asked(Template(model.tokenizer(), tuning.max_tokens), texts, training["labels"])
    return {
        name: class_log_probabilities(loaded, prompts, classes)
        for name, loaded in base_and_tuned(model, out / ADAPTER)
    }
