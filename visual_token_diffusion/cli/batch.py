"""A sample for each prompt of a file: in order, and in the memory of one batch."""

import sys
import time

import torch
from tqdm import tqdm

from ..core.errors import InputError

__all__ = ['generate_batch', 'generate_for_each', 'print_for_each', 'read_prompts']


def read_prompts(
    path,  # a text file, one prompt a line; '-' for standard input
):
    "Yields `(number of the line, prompt)`, read as they are asked for. Raises `InputError`"
    try:
        file = sys.stdin.buffer if str(path) == '-' else open(path, 'rb')
    except OSError as e:
        raise InputError(f'cannot read the prompts in {path}: {e.strerror}') from None
    try:
        for number, line in enumerate(file, 1):
            yield number, _decoded(line, number, path)
    finally:
        if file is not sys.stdin.buffer:
            file.close()


def _decoded(line, number, path):
    "The text of a line. Raises `InputError`"
    try:
        return line.decode('utf-8').rstrip('\r\n')
    except UnicodeDecodeError:
        raise InputError(f'line {number} of {path} is not UTF-8 text; convert it first') from None


def generate_batch(
    model,  # a `VisualTokenLM`
    prompts: list,  # strings, one for each text; '' for none
    generator=None,  # torch generator on the CPU
    length: int = None,  # tokens of every text; None takes the model's own length
    **kwargs,  # as in `VisualTokenLM.fill_steps`
) -> list:
    "A text for each prompt. Raises `ValueError`"
    chosen = {name: kwargs[name] for name in ('temperature', 'top_p') if name in kwargs}
    ids, mask = model.healed_prompts(prompts, length, generator, **chosen)
    *_, last = model.fill_steps(ids, mask, generator, **kwargs)
    return [model.vocab.decode(row) for row in last.x.tolist()]


def _batches(model, prompts, batch, length, on_bad):
    "Yields lists of at most `batch` pairs that can be used. Raises `InputError` after what came before it"
    held = []
    for number, prompt in prompts:
        try:
            model.prompt_ids([prompt], length)
        except ValueError as e:
            if on_bad is None:
                yield held
                raise InputError(f'line {number}: {e}') from None
            on_bad(number, prompt, str(e))
            continue
        held.append((number, prompt))
        if len(held) == batch:
            yield held
            held = []
    yield held


def generate_for_each(
    model,  # a `VisualTokenLM`
    prompts,  # pairs (number, prompt), from `read_prompts`
    batch: int = 64,  # prompts at once
    seed: int = 0,  # one seed and one batch size, one result
    on_bad=None,  # function of (number, prompt, message) for a prompt that cannot be used; None stops there
    **kwargs,  # as in `generate_batch`
):
    "Yields `(number, prompt, text)` in order; holds one batch. Raises `InputError` with the line's number"
    for k, held in enumerate(_batches(model, prompts, batch, kwargs.get('length'), on_bad)):
        if not held:
            continue
        generator = torch.Generator().manual_seed((seed * 1_000_003 + k) % 2**63)
        texts = generate_batch(model, [prompt for _, prompt in held], generator=generator, **kwargs)
        for (number, prompt), text in zip(held, texts):
            yield number, prompt, text


def print_for_each(model, path, batch, skip_bad, console, **kwargs):
    "A sample for each line of the file `path`, printed as they come"
    left_out, done = [], 0
    began = time.perf_counter()

    def on_bad(number, prompt, why):
        left_out.append(number)
        print(f'vtd: line {number} left out: {" ".join(why.split())}', file=sys.stderr)
        if console.json:
            console.result('', line=number, prompt=prompt, error=why)

    lines = tqdm(read_prompts(path), disable=True if console.quiet else None, unit='prompt', leave=False)
    found = generate_for_each(model, lines, batch, on_bad=on_bad if skip_bad else None, **kwargs)
    for number, prompt, text in found:
        separator = '---\n' if done else ''
        console.result(separator + text.strip('\n') + '\n', line=number, prompt=prompt, text=text)
        done += 1
    lines.close()
    if not console.quiet:
        seconds = time.perf_counter() - began
        rest = f'; {len(left_out):,} left out' if left_out else ''
        print(f'{done:,} prompts in {seconds:.1f} s, {done/seconds:.1f} a second{rest}', file=sys.stderr)
