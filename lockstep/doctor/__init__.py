"""Checks a running installation: what is expected, what is found, what to do. Reads only."""
