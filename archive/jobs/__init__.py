"""Work that is not a page: rows are the queue, messages only wake the worker."""
