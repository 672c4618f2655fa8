"""The nouns: what a row is, how a corpus rests on disk, how work is spread. Knows no stage and no Prefect."""
