"""One assessment of live targets or of saved profiles, and the formats of its report."""
