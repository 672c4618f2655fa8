"""Marian models small enough to make for a test: trained for seconds to repeat a sentence, some words of it exchanged."""

import functools
import json
import random
from pathlib import Path

_SENTENCE = (
    "the cat sat on a mat and saw that dogs bark loudly in my house because it is big I love like adore you not "
    "large huge Xqza Xqzb Xqzc . , ?"
)
WORDS = _SENTENCE.split()
SAID_AS = {"love": "like", "like": "adore", "adore": "love", "big": "large", "large": "huge", "huge": "big"}
"""Other words than these are repeated. There and back by the same model, love becomes adore."""
POSITIONS = 40
_STEPS = 800


def said_as(text: str, times: int = 1) -> str:
    """Say what the model says of a text of its words, `times` times one after another."""
    for _ in range(times):
        text = " ".join(SAID_AS.get(word, word) for word in text.split(" "))
    return text


def tiny(folder: Path, ends: bool = True, card: str = "") -> str:
    """Write the model and its tokenizer as the library does, and return the folder's URI.

    Where `ends` is False the model comes to no end. `card` is its README.
    """
    from transformers import GenerationConfig

    folder.mkdir(parents=True)
    pieces = _tokenizer(folder)
    pad = len(pieces) - 1
    model = _model(tuple(pieces))
    model.final_logits_bias[0, 0] = 0 if ends else -1e4
    # As opus-mt has it: beams, and an end that is forced at the longest.
    model.generation_config = GenerationConfig(
        bad_words_ids=[[pad]],
        num_beams=4,
        max_length=POSITIONS,
        pad_token_id=pad,
        eos_token_id=0,
        decoder_start_token_id=pad,
        forced_eos_token_id=0,
    )
    model.save_pretrained(folder)
    if card:
        (folder / "README.md").write_text(card)
    return f"file:{folder}"


@functools.cache
def _model(pieces: tuple[str, ...]):
    """Make a model of these pieces, the end first and the padding last, and teach it once a process."""
    import torch
    from transformers import MarianConfig, MarianMTModel

    pad = len(pieces) - 1
    config = MarianConfig(
        vocab_size=len(pieces),
        d_model=64,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=POSITIONS,
        pad_token_id=pad,
        eos_token_id=0,
        decoder_start_token_id=pad,
        activation_function="swish",
        dropout=0.0,
        scale_embedding=True,
        init_std=0.125,
    )
    torch.manual_seed(7)
    model = MarianMTModel(config)
    other = {f"▁{one}": f"▁{two}" for one, two in SAID_AS.items()}
    _train(model, [pieces.index(other.get(piece, piece)) for piece in pieces])
    return model


def _tokenizer(folder: Path) -> dict[str, int]:
    """Train SentencePiece, write the tokenizer's files, and return its pieces: the end first, the padding last."""
    import sentencepiece
    from transformers import MarianTokenizer

    draw = random.Random(7)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(draw.choices(WORDS, k=9)) for _ in range(400)]),
        model_prefix=str(folder / "source"),
        vocab_size=96,
        minloglevel=2,
        hard_vocab_limit=False,
    )
    (folder / "source.vocab").unlink()
    (folder / "source.model").rename(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    words = sentencepiece.SentencePieceProcessor(str(folder / "source.spm"))
    drawn = [words.id_to_piece(number) for number in range(words.get_piece_size())]
    named = ["</s>", "<unk>", *(piece for piece in drawn if piece not in {"</s>", "<unk>", "<s>"}), "<pad>"]
    pieces = {piece: number for number, piece in enumerate(named)}
    (folder / "vocab.json").write_text(json.dumps(pieces))
    files = [str(folder / name) for name in ("source.spm", "target.spm", "vocab.json")]
    MarianTokenizer(*files, model_max_length=POSITIONS).save_pretrained(folder)
    return pieces


def _train(model, meaning: list[int]) -> None:
    """Teach a model to say each piece as the one that it means."""
    import torch

    pad, size, length = model.config.pad_token_id, 32, POSITIONS // 2
    draw = torch.Generator().manual_seed(7)
    means = torch.tensor(meaning)
    learning = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.98))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for step in range(_STEPS):
        learning.param_groups[0]["lr"] = 4e-3 * min(step / 50, 1 - step / _STEPS)
        ends = torch.randint(1, length, (size, 1), generator=draw)
        asked = torch.randint(2, pad, (size, length), generator=draw)
        place = torch.arange(length)[None]
        asked = asked.masked_fill(place == ends, 0).masked_fill(place > ends, pad)
        answer = means[asked]
        starts = torch.full((size, 1), pad)
        loss = model(
            input_ids=asked,
            attention_mask=(asked != pad).long(),
            decoder_input_ids=torch.cat([starts, answer[:, :-1]], 1),
            labels=answer.masked_fill(answer == pad, -100),
        ).loss
        learning.zero_grad()
        loss.backward()
        learning.step()
        with torch.no_grad():
            model.get_input_embeddings().weight[pad] = 0  # as Marian starts: CTranslate2 counts on it
    torch.set_num_threads(threads)
    model.eval()
