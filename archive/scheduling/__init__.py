"""Orders and what became of them: scheduled steps, performed steps, what is expected and what has come."""
