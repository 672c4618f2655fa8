"""Prefect, the commands and recipes. Thin: what a step does is said in the packages below."""
