"""Offline analysis of recorded sessions. Reads session folders; knows no rig."""
