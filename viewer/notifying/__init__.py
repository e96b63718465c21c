"""Telling people: rows first, in the transaction of what they tell of; mail and webhooks follow from an outbox."""
