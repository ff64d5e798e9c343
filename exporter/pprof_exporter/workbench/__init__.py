"""Around an upgrade: one look judged, rounds recorded, two recordings compared, and the proof kept."""
