"""The colours of the drawings: those of the stories' words, and what skin, wood, leaves and night are painted with"""

from visual_token_diffusion.worlds.shapes import COLOURS

__all__ = ['PALETTE']

PALETTE = COLOURS | {
    'ink': (0.12, 0.12, 0.16),
    'white': (1.0, 1.0, 1.0),
    'paper': (0.93, 0.93, 0.90),
    'silver': (0.82, 0.83, 0.86),
    'grey': (0.62, 0.64, 0.68),
    'dark': (0.36, 0.38, 0.43),
    'skin': (0.98, 0.80, 0.60),
    'face': (1.0, 0.83, 0.22),
    'gold': (0.98, 0.75, 0.12),
    'cream': (1.0, 0.93, 0.75),
    'tan': (0.85, 0.62, 0.36),
    'nut': (0.70, 0.43, 0.20),
    'brown': (0.53, 0.31, 0.15),
    'leaf': (0.30, 0.68, 0.20),
    'pine': (0.08, 0.42, 0.22),
    'lime': (0.70, 0.88, 0.30),
    'teal': (0.10, 0.62, 0.66),
    'sky': (0.60, 0.84, 0.98),
    'navy': (0.14, 0.20, 0.48),
    'lilac': (0.80, 0.76, 0.94),
    'rose': (0.93, 0.28, 0.48),
    'wine': (0.55, 0.08, 0.18),
    'rust': (0.90, 0.38, 0.10),
}
