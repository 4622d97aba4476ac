"""Texts in continuous grids: languages, measures, trained and ideal denoisers."""
