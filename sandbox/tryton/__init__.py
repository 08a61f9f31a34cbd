"""Tryton 8.0, a real open-source ERP, beside demo and tests: installed and prepared on demand, spoken to over REST.

It is a program of its own in a virtual environment of its own; nothing of it is imported here.
"""

from sandbox.tryton.company import Company, Product
from sandbox.tryton.prepare import prepare
from sandbox.tryton.process import TrytonFailedError
from sandbox.tryton.server import TrytonServer

__all__ = ["Company", "Product", "TrytonFailedError", "TrytonServer", "prepare"]
