"""Reads the public tables and prints them for people: `python -m report`."""
