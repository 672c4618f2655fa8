"""A causal language model: a URI made into a folder that transformers loads, asks and can train."""

import json
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.fetch import Fetched, fetch
from corpus.schema import UserError

_ABOUT = "winnow.json"


@dataclass(frozen=True)
class LanguageModel:
    """A language model at rest. `about` says what is known of it: uri, sha256, and of a GGUF file name, licence, quantisation."""

    folder: Path
    about: dict[str, Any]

    def tokenizer(self) -> Any:
        """Load the tokenizer (a fast one of transformers), which must know an end of sequence."""
        from transformers import AutoTokenizer

        return _ending(AutoTokenizer.from_pretrained(self.folder), self.about["uri"])

    def model(self) -> Any:
        """Load the model in float32 (on CPUs without bfloat16 units all else is slower), on the GPU if there is one."""
        import torch
        from transformers import AutoModelForCausalLM

        _hush()
        loaded: Any = AutoModelForCausalLM.from_pretrained(self.folder, dtype=torch.float32)
        return loaded.to("cuda" if torch.cuda.is_available() else "cpu")


def open_model(uri: str, base: Path, cache: Path) -> LanguageModel:
    """Return the language model at `uri`; relative URIs are looked up from `base`.

    A folder is taken as it is. The weights of a GGUF file are dequantised once and kept in
    `cache/dequantised/<sha256 of the file>`; training then starts from its rounded weights, which `about`
    says. Raises UserError where `uri` is neither.
    """
    fetched = fetch(uri, base, cache)
    kept = _kept(fetched, cache)
    if fetched.path.is_dir():
        return LanguageModel(kept, {"uri": fetched.uri, "sha256": fetched.sha256})
    if not kept.exists():
        _dequantise(fetched, kept)
    return LanguageModel(kept, {"uri": fetched.uri, **json.loads((kept / _ABOUT).read_text())})


def open_tokenizer(uri: str, base: Path, cache: Path) -> Any:
    """Return the tokenizer of the language model at `uri` without loading or dequantising the model."""
    from transformers import AutoTokenizer

    fetched = fetch(uri, base, cache)
    kept = _kept(fetched, cache)
    if kept.exists():
        return _ending(AutoTokenizer.from_pretrained(kept), fetched.uri)
    file = fetched.path
    return _ending(AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name), fetched.uri)


def _kept(fetched: Fetched, cache: Path) -> Path:
    """Return the folder that transformers loads: the one fetched, or where the weights of a GGUF file are kept."""
    if fetched.path.is_dir():
        return fetched.path
    with fetched.path.open("rb") as file:
        magic = file.read(4)
    if magic != b"GGUF":
        raise UserError(
            f"a language model is a folder of transformers or a GGUF file, and {fetched.uri} is neither: name another"
        )
    return cache / "dequantised" / fetched.sha256


def _ending(tokenizer: Any, uri: str) -> Any:
    if tokenizer.eos_token_id is None:
        raise UserError(
            f"the language model's tokenizer needs an end-of-sequence token; {uri} has none: take another model"
        )
    return tokenizer


def _dequantise(fetched: Fetched, kept: Path) -> None:
    """Write the folder aside and rename it; of two that do so at once, one wins and the other's is the same."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    _hush()
    aside = kept.with_name(f".{uuid.uuid4().hex}")
    where, file = fetched.path.parent, fetched.path.name
    # Without GgufConfig(dequantize=True) transformers 5 marks the model as quantised, and neither trains nor saves it.
    model = AutoModelForCausalLM.from_pretrained(
        where, gguf_file=file, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    model.save_pretrained(aside)
    AutoTokenizer.from_pretrained(where, gguf_file=file).save_pretrained(aside)
    (aside / _ABOUT).write_text(json.dumps({"sha256": fetched.sha256, **_metadata(fetched.path)}))
    try:
        aside.rename(kept)
    except OSError:
        if not kept.exists():
            raise
        shutil.rmtree(aside)


def _hush() -> None:
    """Keep transformers from drawing its own bars of how loading goes, also where there is no terminal."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers leaves it without types


def _metadata(path: Path) -> dict[str, str]:
    """Return name, licence and quantisation as the GGUF file states them."""
    from gguf import GGUFReader, LlamaFileType

    fields = GGUFReader(os.fspath(path)).fields
    stated = {
        name: fields[key].contents()
        for name, key in (
            ("name", "general.name"),
            ("licence", "general.license"),
            ("quantisation", "general.file_type"),
        )
        if key in fields
    }
    if "quantisation" in stated:
        stated["quantisation"] = LlamaFileType(stated["quantisation"]).name
    return {name: str(value) for name, value in stated.items()}
