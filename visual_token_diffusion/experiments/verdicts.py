"""A verdict in plain words, with the size of the effect and the sign that was expected."""

__all__ = ['verdict']


def verdict(
    claim: str,
    effects: list,  # one number a seed, above 0 where the claim is right
    error: float = 0.0,  # standard error of one effect
    unit: str = 'nats per token',
    least: float = 0.0,  # the effect that the claim promises
) -> str:
    "`claim: supported (...)`, or `not supported`, if every seed says so beyond twice its error; else `not decided`"
    above = sum(e > least + 2 * error for e in effects)
    below = sum(e < least - 2 * error for e in effects)
    word = 'not decided'
    if above == len(effects):
        word = 'supported'
    elif below == len(effects):
        word = 'not supported'
    mean = sum(effects) / len(effects)
    seeds = f"{above} of {len(effects)} seed{'s' * (len(effects) > 1)}"
    each = f"; each {', '.join(f'{e:+.3f}' for e in effects)}" if len(effects) > 1 else ''
    promised = f', expected at least {least:+g}' if least else ', expected above 0'
    return f'{claim}: {word} ({mean:+.3f} {unit}{promised}, s.e. {error:.3f}, {seeds}{each})'
