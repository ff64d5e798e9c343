"""Which process answers, and which program it is: facts of one process end with it."""
