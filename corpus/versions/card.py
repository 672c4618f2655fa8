"""A version's README.md: YAML that `datasets.load_dataset` obeys, and tables for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Card:
    """What a dataset card says beside the numbers."""

    name: str
    licences: Mapping[str, str]
    """Each source's licence, as its recipe states it."""

    def render(self, manifest: Mapping[str, Any]) -> str:
        """Return README.md."""
        splits = manifest["splits"]
        files = "\n".join(
            f"  - split: {split}\n    path: data/{split}-*.parquet"
            for split, held in splits.items()
            if held["rows"]
        )
        rows = "\n".join(
            f"| {split} | {held['rows']} | `{held['content'][:16]}` |" for split, held in splits.items()
        )
        sources = "\n".join(
            f"- {name}: {licence or 'licence not stated in the recipe'}"
            for name, licence in self.licences.items()
        )
        stages = "\n".join(
            f"{number}. `{json.dumps(stage)}`" for number, stage in enumerate(manifest["recipe"]["stages"], 1)
        )
        return (
            f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}\n---\n# {self.name}\n\n"
            f"Version `{manifest['version']}`, published by Winnow.\n\n| split | rows | content |\n| --- | ---: | --- |\n{rows}\n\n"
            f"## Sources\n\n{sources}\n\n## Stages\n\n{stages}\n"
        )
