"""Learning from rewards, and what collapses."""
