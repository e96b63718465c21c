"""The one door in: bytes become a durable file, whoever brings them."""
