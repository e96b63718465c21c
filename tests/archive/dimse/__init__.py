"""The receiver, by its plain functions and over real associations on loopback."""
