"""Knobs under which admission refuses nothing for what it says: a test adds the gate that it is about."""

WIDE = {
    "kept": (),
    "max_word_ratio": 1000,
    "min_language_score": 1,
    "min_chrf": 0,
    "max_chrf": 100,
    "overlap": None,
    "min_similarity": -1,
    "max_similarity": 1,
    "min_word_similarity": None,
    "min_label_margin": None,
    "near_duplicate": 1,
}
