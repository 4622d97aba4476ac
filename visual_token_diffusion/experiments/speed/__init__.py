"""Seconds and memory of a step, of heads, of recipes, and of a card."""
