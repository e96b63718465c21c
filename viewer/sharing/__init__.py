"""Links for people without an account: what they see, what is hidden from them, and how it ends."""
