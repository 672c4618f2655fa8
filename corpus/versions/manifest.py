"""What a version is: a document whose digest is its id."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import rfc8785

from corpus.schema import ROW, SPLITS, UserError
from corpus.versions.blocks import Block
from corpus.versions.shards import Shard, by_split

FORMAT = 2
"""Of manifest and attestations. 1 had no blocks."""


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return canonical JSON (RFC 8785)."""
    return rfc8785.dumps(dict(document))


def manifest(recipe: Mapping[str, Any], shards: Iterable[Shard]) -> dict[str, Any]:
    """Return what a version is; its id is the SHA-256 of all the rest in canonical JSON.

    `recipe` is all that the identity holds beside the rows. Nothing here depends on the bytes of the shards.
    """
    held = by_split(shards)
    identity = {
        "format": FORMAT,
        "schema": [f"{field.name}: {field.type}" for field in ROW],
        "recipe": dict(recipe),
        "splits": {
            split: _of_split([block for shard in held[split] for block in shard.blocks]) for split in SPLITS
        },
    }
    return {**identity, "version": hashlib.sha256(canonical(identity)).hexdigest()}


def _of_split(blocks: list[Block]) -> dict[str, Any]:
    listed: list[Any] = [{"rows": block.rows, "content": block.content} for block in blocks]
    return {
        "rows": sum(block.rows for block in blocks),
        "content": hashlib.sha256(rfc8785.dumps(listed)).hexdigest(),
        "blocks": listed,
    }


def parse(raw: bytes, where: str) -> dict[str, Any]:
    """Read a manifest; raises `UserError` for one that is not what its id says, or of another format."""
    try:
        held = json.loads(raw)
        found = held.get("format", 1)
    except (ValueError, AttributeError) as error:
        raise UserError(f"{where} is not a manifest ({error}); publish the version anew") from error
    if found != FORMAT:
        age = "an older" if isinstance(found, int) and found < FORMAT else "a newer"
        raise UserError(
            f"{where} was written by {age} Winnow: its format is {found!r}, and this one reads {FORMAT}; "
            + ("publish it anew" if age == "an older" else "install a newer Winnow")
        )
    identity = {key: value for key, value in held.items() if key != "version"}
    try:
        digest = hashlib.sha256(canonical(identity)).hexdigest()
    except (TypeError, ValueError) as error:
        raise UserError(f"{where} is not a manifest ({error}); publish the version anew") from error
    if digest != held.get("version"):
        raise UserError(
            f"{where} was changed: it says that it is version {str(held.get('version'))[:12]}, and its content "
            f"is {digest[:12]}; publish the version anew"
        )
    if raw != canonical(held):
        raise UserError(f"{where} was changed: it is not canonical JSON; publish the version anew")
    return dict(held)


def identical(manifest: Mapping[str, Any], split: str, blocks: Iterable[Block]) -> bool:
    """Say whether the blocks are those that a manifest lists for a split."""
    return bool(_of_split(list(blocks)) == manifest["splits"][split])
