"Faults of the sample that change nothing that can be observed, each with the reason."

__all__ = ['EQUIVALENT']

EQUIVALENT = {}
