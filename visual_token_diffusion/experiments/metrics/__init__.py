"""What fools a metric, and how fast it is."""
