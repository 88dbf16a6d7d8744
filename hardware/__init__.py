"""Outputs and sensors of a rig behind the ports of core: fakes here; GPIO, guardian and speaker are drivers to come."""
