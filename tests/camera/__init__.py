"""Cameras: recordings, the computed scene, and the pace at which they are given out."""
