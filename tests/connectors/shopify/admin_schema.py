"""Shopify's published Admin schema, 2026-10: taken once from the npm package that carries it, kept in the cache."""

import gzip
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_client_schema

from sandbox.cache import cache_root, locked

PACKAGE = "@shopify/dev-mcp@1.16.0"
MEMBER = "package/dist/data/admin_2026-10.json.gz"
SHA256 = "f3b522f264556925eada700e795e4a002a9cba83444ebcc6c0d724254a0c6593"


@cache
def admin_schema() -> GraphQLSchema:
    """Skips the test, saying why, where the package cannot be had."""
    kept = cache_root() / "shopify-admin-2026-10.json.gz"
    with locked(kept):
        if not kept.exists():
            _fetch(kept)
    packed = kept.read_bytes()
    found = hashlib.sha256(packed).hexdigest()
    assert found == SHA256, f"{kept}: expected sha256 {SHA256}, found {found}; delete it to fetch it again"
    return build_client_schema(json.loads(gzip.decompress(packed))["data"], assume_valid=True)


def _fetch(kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"no npm to fetch {PACKAGE} with, which carries Shopify's Admin schema")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", PACKAGE, "--pack-destination", folder, "--silent"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=folder)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"{PACKAGE} could not be fetched ({type(error).__name__}): no schema to check against")
        (packed,) = Path(folder).glob("*.tgz")
        with tarfile.open(packed) as tar:
            member = tar.extractfile(MEMBER)
            assert member is not None, f"{PACKAGE}: expected {MEMBER}"
            part = kept.with_suffix(".part")
            part.write_bytes(member.read())
            part.replace(kept)
