"""Names of what is fetched besides the profiles: in settings, and as values of the label `profile`."""

from __future__ import annotations

INDEX = "index"
"""The index page of net/http/pprof."""
CANARY = "canary"
"""A request that costs the target nothing."""
MEMSTATS = "memstats"
"""`runtime.MemStats`, at the end of heap?debug=1."""
TRACE = "trace"
"""An execution trace, for an audit of the sampling clock."""
STACKS = "stacks"
"""goroutine?debug=2, off unless it is asked for."""
