"""Stages that grow rows, and the gate that they pass: one stage a file."""
