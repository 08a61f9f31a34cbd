"""The sandbox ERP, played by `sandbox.erp`."""

from connectors.erp.sandbox.adapter import SandboxErp
from connectors.erp.sandbox.translate import translate, translate_items

__all__ = ["SandboxErp", "translate", "translate_items"]
