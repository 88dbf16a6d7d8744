"""Benchmarks: each prints its figures beside a rival's, from one run. `python -m bench.bench_NAME`; see report.py."""
