"""How models treat groups: the tuned one, the one it was tuned from, and a probe that stands for a model."""
