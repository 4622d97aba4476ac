"""A verdict in plain words, with the size of the effect and the sign that was expected."""

__all__ = ['verdict']


def verdict(
    claim: str,
    effects: list,  # one number a seed, above `least` where the claim is right
    error: float = 0.0,  # standard error of one effect
    unit: str = 'nats per token',
    least: float = 0.0,  # the effect that the claim promises
    each: str = 'seed',  # what an effect stands for
) -> str:
    "`claim: supported (...)`, or `not supported`, if every seed says so beyond twice its error; else `not decided`"
    above = sum(e > least + 2 * error for e in effects)
    below = sum(e < least - 2 * error for e in effects)
    word = 'not decided'
    if above == len(effects):
        word = 'supported'
    elif below == len(effects):
        word = 'not supported'
    return f'{claim}: {word} ({_size(effects, error, unit, least)}; {_counted(above, effects, each)})'


def _size(effects, error, unit, least):
    "The mean effect beside what was expected"
    mean = sum(effects) / len(effects)
    expected = f'at least {least:+.3g}' if least else 'above 0'
    spread = f', s.e. {error:.3f}' if error else ''
    return f'{mean:+.3f} {unit}{spread}, expected {expected}'


def _counted(above, effects, each):
    "On how many seeds, and the effect of each"
    if len(effects) == 1:
        return f'one {each}'
    return f"{above} of {len(effects)} {each}s: {', '.join(f'{e:+.3f}' for e in effects)}"
