"""The GraphQL documents of the Clarus connector, one file each."""

from functools import cache
from importlib.resources import files


@cache
def document(name: str) -> str:
    """The text of `<name>.graphql`."""
    return files(__name__).joinpath(f"{name}.graphql").read_text()
