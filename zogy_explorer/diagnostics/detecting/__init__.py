"""What changed: peaks of Scorr, measured, and what speaks against each."""
