"""The whole topology in one process, on virtual time, from a seed: faults at any point, judged from the books."""
