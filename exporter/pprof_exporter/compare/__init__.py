"""Before and after: statistics, assessment and reports of two captures, two epochs or two groups of targets."""
