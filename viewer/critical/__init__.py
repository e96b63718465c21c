"""Critical results: flagged by a reader, told, acknowledged by name and time, reminded and escalated until then."""
