"""The rules of stock: which figure Shopify should have of an item, and when it is told."""
