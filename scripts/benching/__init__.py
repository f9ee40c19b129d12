"""Start times of launchers, side by side: what scripts/bench-launch runs."""
