"""Cameras: what a rig films with, a recording that is played back, and a computed scene, behind one port."""
