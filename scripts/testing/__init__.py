"""What scripts/test does once the machine is set up: steps, their processes, and the tally."""
