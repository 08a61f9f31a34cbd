"""A Shopify for laptops and tests: a subset of the Admin GraphQL API 2026-10, webhooks, shoppers, and its own books.

It plays the outside world and knows nothing of Lockstep. State is plain Python (`Shop`), GraphQL a thin layer over it.
"""
