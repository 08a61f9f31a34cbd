"""The sandbox ERP, played by `sandbox.erp`."""

from connectors.erp.sandbox.adapter import SandboxErp
from connectors.erp.sandbox.translate import translate

__all__ = ["SandboxErp", "translate"]
