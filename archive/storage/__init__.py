"""Where bytes lie and how they become durable."""
