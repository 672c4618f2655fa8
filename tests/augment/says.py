"""A growth that says what a test wants it to say."""

import json
from typing import Literal

import pyarrow as pa

from corpus.schema import ROW, conform, grown_id
from corpus.stage import Context, Grow
from corpus.text import contents


class Says(Grow):
    """Grows from each row whose text it knows the text that it was given for it."""

    stage: Literal["says"] = "says"
    answers: dict[str, str]
    masks_lost: bool = False

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        found = [
            (row_id, self.answers[said])
            for row_id, said in zip(rows["id"].to_pylist(), contents(rows).to_pylist(), strict=True)
            if said in self.answers
        ]
        if not found:
            return ROW.empty_table()
        return conform(
            {
                "id": pa.array([grown_id(parent, "says", (), 0) for parent, _ in found]),
                "messages": pa.array(
                    [[{"role": "text", "content": said}] for _, said in found], ROW.field("messages").type
                ),
                "parent": pa.array([parent for parent, _ in found]),
                "operation": pa.array(["says"] * len(found)),
                "extra": pa.array([json.dumps({"grown": {"masks_lost": self.masks_lost}})] * len(found)),
            }
        )
