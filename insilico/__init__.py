"""The simulated mouse: a spiking network in Brian2 behind the camera, the speaker and the water spout."""
