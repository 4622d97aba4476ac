"""Tokenizers of pictures at equal bits: arms, runs, tables, and what their codes leak or keep."""
