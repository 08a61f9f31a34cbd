"""Webhooks and automations in, hints out; nothing is answered 200 that the broker has not acknowledged."""
