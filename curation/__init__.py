"""Stages that clean and choose: one stage a file."""
