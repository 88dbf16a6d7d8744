"""Benchmarks: what is made of their figures."""
