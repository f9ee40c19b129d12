"""Our collectives beside MPI's, Gloo's and MLX's, side by side: what scripts/bench-peers runs."""
