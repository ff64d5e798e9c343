"""Raw profiles that show a finding: which are kept and when, captures on request of an alert, copies elsewhere."""
