"""Names of functions: what they say about a frame, what of them is stable, and which ones Go has moved."""
