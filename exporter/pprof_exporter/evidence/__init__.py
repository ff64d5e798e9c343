"""Evidence: when the profiles that show a finding are saved, captures for alerts, and copies to Pyroscope."""
