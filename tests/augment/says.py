"""A growth that says what a test wants it to say."""

import json
from typing import Literal

import pyarrow as pa

from corpus.schema import ROW, conform, grown_id
from corpus.stage import Context, Grow
from corpus.text import contents


class Says(Grow):
    """Grows from each row whose text it knows the texts that it was given for it."""

    stage: Literal["says"] = "says"
    answers: dict[str, str | tuple[str, ...]]
    masks_lost: bool = False
    near: bool = False

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        found = [
            (row_id, n, answer)
            for row_id, said in zip(rows["id"].to_pylist(), contents(rows).to_pylist(), strict=True)
            for n, answer in enumerate(_several(self.answers.get(said, ())))
        ]
        if not found:
            return ROW.empty_table()
        told = {"grown": {"engine": "a test", "masks_lost": self.masks_lost, "near": self.near}}
        return conform(
            {
                "id": pa.array([grown_id(parent, self.stage, (), n) for parent, n, _ in found]),
                "messages": pa.array(
                    [[{"role": "text", "content": said}] for *_, said in found], ROW.field("messages").type
                ),
                "parent": pa.array([parent for parent, *_ in found]),
                "operation": pa.array([self.stage] * len(found)),
                "extra": pa.array([json.dumps(told)] * len(found)),
            }
        )


def _several(answer: str | tuple[str, ...]) -> tuple[str, ...]:
    return (answer,) if isinstance(answer, str) else answer
