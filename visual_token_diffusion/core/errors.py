"""What this library raises: one line that says what is wrong and what to do. All are `ValueError`s."""

__all__ = ['CallError', 'CheckpointError', 'CombinationError', 'DataError', 'InputError', 'SaveError']


class CallError(ValueError, TypeError):
    "A call with something of the wrong type"


class CheckpointError(ValueError):
    "A checkpoint that is missing, damaged or not ours"


class SaveError(ValueError):
    "A file that could not be written; what stood there before is as it was"


class DataError(ValueError):
    "Training data that cannot be read or used"


class InputError(ValueError):
    "A request that the command line cannot fulfill"


class CombinationError(ValueError):
    "Parts that do not fit together"
