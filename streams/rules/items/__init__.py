"""The rules of items: which products Clarus should have, by the item master of the ERP."""
