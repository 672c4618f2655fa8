"""What a recipe says of fine-tuning and of evaluation.

tuning: {method: lora, model: "hf://owner/name@revision", epochs: 2}
evaluation: {metrics: [accuracy, f1_macro]}
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

Metric = Literal["accuracy", "f1_macro"]
Share = Annotated[float, Field(ge=0, lt=1)]


class Tuning(BaseModel):
    """How the base model is fine-tuned on the training split. The seed is the recipe's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["lora"] = Field(
        "lora", description="low-rank adapters on all linear layers (arXiv 2106.09685)"
    )
    model: str = Field(description="URI of the base model: a folder as transformers saves it, or a GGUF file")
    epochs: PositiveInt = Field(1, description="passes over the training rows")
    rank: PositiveInt = Field(
        16, description="rank of each adapter; below 16 a step on a CPU takes longer, not shorter"
    )
    alpha: PositiveInt = Field(32, description="an adapter's output is scaled by alpha / rank")
    dropout: Share = Field(0.0, description="share of an adapter's inputs dropped while training")
    learning_rate: PositiveFloat = Field(
        7e-4,
        description="peak of the cosine schedule (AdamW); about 7e-4 for 0.1 billion parameters, 2e-4 for billions",
    )
    batch_rows: PositiveInt = Field(4, description="rows a step; few rows teach more in small batches")
    warmup: Share = Field(0.05, description="share of the steps over which the learning rate rises")
    weight_decay: NonNegativeFloat = Field(0.0, description="AdamW's decoupled weight decay")
    patience: PositiveInt = Field(
        3, description="evaluations without a lower validation loss before it stops"
    )
    evaluations_per_epoch: PositiveInt = Field(2, description="looks at the validation loss in each epoch")
    validation_rows: PositiveInt = Field(
        128, description="validation rows looked at: those of least keyed hash of id"
    )
    max_tokens: Annotated[int, Field(ge=8)] = Field(
        256, description="tokens a row; a longer text is cut at its end, a longer answer loses its end"
    )
    unsupervised: Literal["stop", "skip"] = Field(
        "stop", description="rows that would train on no token: stop before training, or skip and list them"
    )


class Evaluation(BaseModel):
    """What is measured on the test split, with an interval beside each value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics: tuple[Metric, ...] = Field(
        ("accuracy", "f1_macro"), min_length=1, description="what is measured"
    )
    rows: PositiveInt = Field(600, description="test rows judged: those of least keyed hash of id")
    probe: str | None = Field(
        None,
        description="URI of the embedding model of a baseline: logistic regression; no such baseline where absent",
    )
    level: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        0.95, description="confidence level of the intervals"
    )
