"""A URI becomes a model that can be trained."""

from pathlib import Path

import pytest

from corpus.schema import UserError
from tuning.base_model import open_base


def test_a_folder_of_transformers_is_taken_as_it_is(model_folder: Path, tmp_path: Path) -> None:
    found = open_base(f"file:{model_folder}", tmp_path, tmp_path / "cache")

    assert found.folder == model_folder
    assert found.about["uri"] == f"file:{model_folder}"
    assert found.tokenizer().eos_token == "<|im_end|>"
    assert {str(weight.dtype) for weight in found.model().parameters()} == {"torch.float32"}


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("good")

    with pytest.raises(UserError, match="needs a folder of transformers or a GGUF file; file:notes.txt is neither"):
        open_base("file:notes.txt", tmp_path, tmp_path / "cache")
