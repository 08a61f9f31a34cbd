"""The GraphQL documents sent to Shopify: one file per operation or fragment, named as it is named inside."""

import re
from functools import cache
from importlib import resources

_SPREAD = re.compile(r"\.\.\.\s*(?!on\b)([A-Za-z]\w*)")


@cache
def document(operation: str) -> str:
    """The operation with the fragments it spreads, each once. Raises FileNotFoundError for an unknown name."""
    texts: dict[str, str] = {}
    wanted = [operation]
    while wanted:
        name = wanted.pop()
        if name not in texts:
            texts[name] = resources.files(__package__).joinpath(f"{name}.graphql").read_text("utf-8")
            wanted.extend(_SPREAD.findall(texts[name]))
    return "\n".join(texts.values())


def operations() -> tuple[str, ...]:
    """The names of all documents that are operations, not fragments."""
    names = (file.name.removesuffix(".graphql") for file in resources.files(__package__).iterdir())
    return tuple(sorted(name for name in names if name[0].isupper() and not name.endswith("Fields")))
