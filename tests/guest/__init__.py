"""Checks on real kernel devices, run by `make guest` in an emulated machine. Not collected by pytest."""
