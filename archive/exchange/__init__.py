"""Studies that go to other archives and come from them: on request, and by routing rules. The work is rows of jobs."""
