"""Shopify's Admin GraphQL API, version 2026-10: reads orders whole, tells shoppers what left."""
