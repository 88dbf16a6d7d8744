"""A simulated mouse: a spiking cortex, its indicator, and what a camera sees of it."""
