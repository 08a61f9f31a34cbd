"""What ends a fold and is told to whoever asked for it; in a module of its own, for every command knows it."""


class FoldProcessLostError(Exception):
    """A process of the fold was ended by somebody else."""
