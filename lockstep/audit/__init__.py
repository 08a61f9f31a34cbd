"""Checks a brand before its orders flow: how its three systems are set up, beside its configuration. Reads only."""
