"""Rows that are to be forgotten: which they are, where a store holds them, and how they are erased there."""
