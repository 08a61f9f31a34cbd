"""A small ERP for rates a real one on a laptop cannot carry: sales orders, fulfilments, a slow posting run.

`ErpWorld` keeps the books, `create_app` serves them over REST. It holds nothing of Lockstep and believes nothing a
caller has not told it, so its books can be the judge of what Lockstep did.
"""

from sandbox.erp.app import create_app
from sandbox.erp.checks import Refused
from sandbox.erp.world import ErpTimings, ErpWorld

__all__ = ["ErpTimings", "ErpWorld", "Refused", "create_app"]
