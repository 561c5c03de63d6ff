"""Benchmarks: `python -m bench.ingest` and its like. Each prints one JSON object with its figures and a baseline's."""
