"""Who may see what: one rule for pages, tiles, lists and the network."""
