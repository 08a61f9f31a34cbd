"""Ports of the outside systems, made from the brands' connections; a module each, so that a role loads but its own."""

import httpx

Transport = httpx.AsyncBaseTransport | None
"""None is the network; tests and simulations hand in their own."""
