"""How a model is asked for another answer than its likeliest: each draw depends on the seed, the text and a number alone."""

from dataclasses import dataclass

import numpy as np

from corpus.schema import digest


@dataclass(frozen=True)
class Sampled:
    """The `n`-th answer drawn at a temperature (above 0; at 1 pieces come as often as the model thinks them likely)."""

    temperature: float
    seed: int
    n: int

    def generator(self, text: str) -> np.random.Generator:
        """Return a generator of the text's own: what is drawn for it depends on no other text, batch or worker."""
        return np.random.default_rng(list(digest(str(self.seed), "sampled", text, str(self.n))))
