"""What nlpaug and TextAttack make of rows, each in a process of its own, by its own ways and with its own settings.

Run by `bench.augmentation_peers` in a Python where they are installed: `PYTHON bench/augmentation_systems.py NAME FILE SEED`.
FILE is JSON, `{"warm": [text, ...], "texts": [text, ...]}`; what is printed is JSON, `{"made": [[text, ...] or null, ...],
"errors": [...], "start_seconds": ..., "seconds": ...}` (null where a text raised). Start-up is imports, loading, and the
warm texts. Nothing of Winnow is imported, nothing is patched, and nothing may be downloaded; NLTK's data are where
NLTK_DATA says.
"""

import contextlib
import json
import random
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

Augment = Callable[[str], list[str]]


def synonym() -> Augment:
    """`SynonymAug(aug_src="wordnet")`, else its defaults (up to 10 words, 30%)."""
    import nlpaug.augmenter.word as words

    return words.SynonymAug(aug_src="wordnet").augment


def swap() -> Augment:
    """`RandomWordAug(action="swap")`."""
    import nlpaug.augmenter.word as words

    return words.RandomWordAug(action="swap").augment


def delete() -> Augment:
    """`RandomWordAug(action="delete")`."""
    import nlpaug.augmenter.word as words

    return words.RandomWordAug(action="delete").augment


def keyboard() -> Augment:
    """`KeyboardAug()`."""
    import nlpaug.augmenter.char as characters

    return characters.KeyboardAug().augment


def nlpaug_translation() -> Augment:
    """`BackTranslationAug()`: its models are on a hub."""
    import nlpaug.augmenter.word as words

    return words.BackTranslationAug().augment


def easy() -> Augment:
    """`EasyDataAugmenter(transformations_per_example=1)`: one of the four that it makes, as it draws it."""
    from textattack.augmentation import EasyDataAugmenter

    return EasyDataAugmenter(transformations_per_example=1).augment


def wordnet() -> Augment:
    """`WordNetAugmenter()`, 10% of the words."""
    from textattack.augmentation import WordNetAugmenter

    return WordNetAugmenter().augment


def characters() -> Augment:
    """`CharSwapAugmenter()`, 10% of the words."""
    from textattack.augmentation import CharSwapAugmenter

    return CharSwapAugmenter().augment


def checklist() -> Augment:
    """`CheckListAugmenter()`: names and places are found by flair's model, which is on a hub."""
    from textattack.augmentation import CheckListAugmenter

    return CheckListAugmenter().augment


def textattack_translation() -> Augment:
    """`BackTranslationAugmenter()`: its models are on a hub."""
    from textattack.augmentation import BackTranslationAugmenter

    return BackTranslationAugmenter().augment


SYSTEMS: dict[str, Callable[[], Augment]] = {
    "nlpaug SynonymAug wordnet": synonym,
    "nlpaug RandomWordAug swap": swap,
    "nlpaug RandomWordAug delete": delete,
    "nlpaug KeyboardAug": keyboard,
    "nlpaug BackTranslationAug": nlpaug_translation,
    "TextAttack EasyDataAugmenter": easy,
    "TextAttack WordNetAugmenter": wordnet,
    "TextAttack CharSwapAugmenter": characters,
    "TextAttack CheckListAugmenter": checklist,
    "TextAttack BackTranslationAugmenter": textattack_translation,
}
PACKAGES = ("nlpaug", "textattack", "nltk", "flair", "transformers", "torch", "numpy")


def run(name: str, warm: list[str], texts: list[str], seed: int) -> dict[str, object]:
    """Load a system, let it warm up, set the seeds, and send it the texts one by one."""
    import numpy as np

    began = time.perf_counter()
    augment = SYSTEMS[name]()
    for text in warm:
        augment(text)
    start = time.perf_counter() - began
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - what nlpaug draws from
    made: list[list[str] | None] = []
    errors = []
    began = time.perf_counter()
    for text in texts:
        try:
            found = augment(text)
        except Exception as error:  # noqa: BLE001 - what a peer raises on a row is counted
            errors.append(f"{type(error).__name__}: {error}"[:200])
            made.append(None)
        else:
            made.append([found] if isinstance(found, str) else list(found))
    return {
        "made": made,
        "errors": errors,
        "start_seconds": start,
        "seconds": time.perf_counter() - began,
        "versions": {package: version(package) for package in PACKAGES},
    }


def main() -> None:
    """Run the system that is named."""
    name, file, seed = sys.argv[1:]
    asked = json.loads(Path(file).read_text(encoding="utf-8"))
    with contextlib.redirect_stdout(sys.stderr):  # they talk while they load
        found = run(name, asked["warm"], asked["texts"], int(seed))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
