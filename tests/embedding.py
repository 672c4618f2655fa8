"""A sentence-transformers model small enough to make for a test: its weights are drawn, its pieces are letters."""

from pathlib import Path


def tiny(folder: Path) -> str:
    """Write the model to `folder`, and return its URI."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from transformers import BertModel

    torch.manual_seed(7)
    BertModel(_config(_tokenizer(folder / "bert"))).save_pretrained(folder / "bert")
    encoder = Transformer(str(folder / "bert"), max_seq_length=64)
    SentenceTransformer(modules=[encoder, Pooling(48)], device="cpu").save(str(folder / "model"))
    return f"file:{folder / 'model'}"


def infers(folder: Path, labels: tuple[str, ...] = ("contradiction", "neutral", "entailment")) -> str:
    """Write a model of natural language inference, whose weights are drawn, and return its URI."""
    import torch
    from transformers import BertForSequenceClassification

    torch.manual_seed(7)
    named = {"id2label": dict(enumerate(labels)), "label2id": {name: at for at, name in enumerate(labels)}}
    config = _config(_tokenizer(folder / "nli"), initializer_range=0.5, **named)
    BertForSequenceClassification(config).save_pretrained(folder / "nli")
    return f"file:{folder / 'nli'}"


def _tokenizer(folder: Path) -> int:
    """Write the tokenizer, and return how many pieces it knows."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    words = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106 - a piece of the vocabulary
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    named = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=words, **named).save_pretrained(folder)
    return len(pieces)


def _config(pieces: int, **more):
    from transformers import BertConfig

    return BertConfig(
        vocab_size=pieces,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=64,
        **more,
    )
