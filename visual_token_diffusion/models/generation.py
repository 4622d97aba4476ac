"""From a prompt to a text, with every step on the way for whoever wants to look."""

import inspect
from numbers import Real

import torch
from fastcore.meta import delegates

from ..core.errors import CallError
from ..core.given import check_keywords, check_type, checked_seed, described, whole_number
from ..core.memory import memory_free
from ..samplers.base import SamplerStep
from ..samplers.fitting import fitting_sampler
from ..text.vocab import encode_strict
from .token_healing import heal_ends

__all__ = ['DILATED', 'GenerationMixin']

DILATED = ('masked', 'blocks')  # samplers that a model asks for a dilated order; by themselves they take a random one


class GenerationMixin:
    "What a model with `process`, `sampler`, `vocab` and `hidden_states` does to write"

    def _check_room(self, n, length):
        "Refuse more texts than fit into memory. Raises `ValueError`"
        if length > 2**16:
            raise ValueError(f"a text has at most 65,536 tokens, got {length:,}")
        need = n * length * self.config['width'] * 48  # bytes of a dozen tensors of its width
        free = memory_free(self.device)
        if need <= free:
            return
        texts = f"{n} text{'s'*(n>1)} of {length} tokens"
        raise ValueError(
            f"{texts} need about {need/2**30:.1f} GiB and {free/2**30:.1f} GiB are free; "
            "write fewer or shorter ones"
        )

    def prompt_ids(
        self,
        prompts: list,  # strings, one for each text; '' for none
        length: int = None,  # tokens of every text; None takes the model's own length
    ):
        "`(ids (B,L) long, mask (B,L) bool)` of texts that begin with `prompts`. Raises `ValueError`"
        length = self.length if length is None else whole_number(length, 'length')
        for prompt in prompts:
            check_type(prompt, str, 'a text as prompt', 'several prompts are a list of texts')
        self._check_room(len(prompts), length)
        ids = torch.zeros(len(prompts), length, dtype=torch.long, device=self.device)
        mask = torch.ones_like(ids, dtype=torch.bool)
        for i, prompt in enumerate(prompts):
            self._start_row(ids[i], mask[i], prompt)
        return ids, mask

    def healed_prompts(
        self,
        prompts: list,  # as in `prompt_ids`
        length: int = None,  # likewise
        generator=None,  # torch generator on the CPU
        temperature: float = 1.0,
        top_p: float = 1.0,
    ):
        "`prompt_ids`, where a prompt that ends inside a token has its end written anew. Raises `ValueError`"
        ids, mask = self.prompt_ids(prompts, length)
        heal_ends(self, ids, mask, temperature, top_p, generator)
        return ids, mask

    def _start_row(self, ids, mask, prompt):
        "Write `prompt` at the start of one row. Raises `ValueError` if it fills the row"
        given = encode_strict(self.vocab, prompt) if prompt else []
        if len(given) >= len(ids):
            raise ValueError(
                f"the prompt {prompt[:40]!r} fills {len(given)} of {len(ids)} tokens and leaves no room; "
                "shorten it"
            )
        ids[: len(given)] = torch.tensor(given, dtype=torch.long)
        mask[: len(given)] = False

    def sample_tokens(
        self,
        ids,  # (B,L) long
        mask,  # (B,L) bool: what is masked
        where,  # (B,L) bool: the positions to be predicted
        temperature=1.0,
        generator=None,
        top_p=1.0,
    ):
        "Tokens (N,) for the True positions of `where`, and their log-probabilities"
        hidden_states = self.hidden_states(ids, mask)[where]
        return self.head.sample(hidden_states, temperature, generator, top_p)

    def _token_step(self, step):
        "A `SamplerStep` of codes (B,L,M) as one of tokens (B,L); one of tokens as it is"
        if step.x.dim() == 2:
            return step
        mask, changed = step.mask.any(-1), step.changed.any(-1)
        return SamplerStep(step.pred, mask, changed, step.confidence, step.pred, step.t)

    def _sampler_options(self, steps, length, options):
        "`(steps, options)`: what is asked of the sampler. Raises `ValueError` where a model reads from the left"
        defaults = dict(order=None, block=0, counts='linear', noise=0.0, remask=False)
        options = {k: v for k, v in options.items() if v != defaults[k]}
        if self.is_causal and options:
            named = ', '.join(options)
            raise ValueError(f"this model writes from the left; leave out {named}, which masked models take")
        if self.sampler.name in DILATED and 'remask' not in options and options.get('counts') != 'cosine':
            options.setdefault('order', 'dilated')
        return length if self.is_causal else steps, options

    def _answering(self, sampler, temperature, top_p, generator):
        "The function that `sampler` calls, and the options that it takes itself"
        if sampler.asks == 'probs':
            return self.process.predictor(self), dict(temperature=temperature, top_p=top_p)
        return self.process.denoiser(self, temperature, top_p, generator), {}

    @torch.no_grad()
    def fill_steps(
        self,
        ids,  # (B,L) long, as `prompt_ids` gives them
        mask,  # (B,L) bool, from the same
        generator=None,  # torch generator on the CPU
        steps: int = 32,  # network calls
        temperature: float = 1.0,  # 0 always takes the most likely code
        order: str = None,  # 'dilated', 'random', 'confidence', 'left_to_right'; None: dilated if that helps
        top_p: float = 1.0,  # at every branch, keep the likeliest codes that together reach this probability
        block: int = 0,  # tokens of a block; blocks are written from left to right; 0 takes all at once
        counts: str = 'linear',  # tokens per step, or 'cosine': few at first
        noise: float = 0.0,  # Gumbel noise on the confidence, fading (MaskGIT); for `order='confidence'`
        remask: bool = False,  # mask again what is least certain
        sampler=None,  # another `Sampler`, or a text such as 'entropy_bound,bound=.5'; `order` to `remask` are not its
    ):
        """Yields a `SamplerStep` of tokens for each step. Raises `ValueError` for what cannot be done.

        Tokens that one call writes do not see each other, so a masked model writes those together that stand far
        apart (`order='dilated'`; with a call for every token that is from left to right), with `remask` and with
        `counts='cosine'` random ones. `samplers.masked` by itself takes random ones, as masked diffusion is
        published."""
        for name, value in dict(temperature=temperature, top_p=top_p, noise=noise).items():
            check_type(value, Real, f'a number as {name}')
        steps, block = whole_number(steps, 'steps'), whole_number(block, 'block', 0)
        if not temperature >= 0:
            raise ValueError(f"temperature must not be negative, got {temperature}")
        options = dict(order=order, block=block, counts=counts, noise=noise, remask=remask)
        steps, options = self._sampler_options(steps, ids.shape[1], options)
        sampler = self.sampler(**options) if sampler is None else fitting_sampler(sampler, self.process)
        steps = sampler.options.get('steps', steps)
        denoise, own = self._answering(sampler, temperature, top_p, generator)
        was_training = self.training
        self.eval()
        walk = sampler(denoise, self.process, ids, mask=mask, steps=steps, generator=generator, **own)
        try:
            yield from (self._token_step(s) for s in walk)
        finally:
            self.train(was_training)

    def _row_length(self, prompt, length, max_new_tokens):
        "Tokens of a text that begins with `prompt`. Raises `CallError`"
        if max_new_tokens is None:
            return self.length if length is None else whole_number(length, 'length')
        if length is not None:
            raise CallError('length counts the prompt, max_new_tokens does not; give one of them')
        check_type(prompt, str, 'a text as prompt', 'several prompts are a list of texts')
        given = encode_strict(self.vocab, prompt) if prompt else []
        return len(given) + whole_number(max_new_tokens, 'max_new_tokens')

    @delegates(fill_steps, but=['generator'])
    def generate_steps(
        self,
        prompt: str = '',  # text that stays as it is; a number alone is taken as `n`
        n: int = 1,  # sequences
        seed: int = 0,  # one seed, one result
        length: int = None,  # tokens, those of the prompt included; None takes the model's own length
        max_new_tokens: int = None,  # the same without those of the prompt
        **kwargs,
    ):
        "Yields a `SamplerStep` of tokens for each step. Raises `ValueError` for what cannot be done"
        prompt, n = _prompt_and_number(prompt, n)
        _check_sampling(kwargs)
        length = self._row_length(prompt, length, max_new_tokens)
        self._check_room(n, length)  # before there is a list of that many prompts
        generator = _generator(seed)
        ids, mask = self.healed_prompts([prompt] * n, length, generator, **_of_prompts(kwargs))
        yield from self.fill_steps(ids, mask, generator, **kwargs)

    @delegates(generate_steps)
    def generate(self, prompt='', n=1, **kwargs) -> list:
        "`n` texts that begin with `prompt`, or with each of a list of prompts; `generate(3)` writes three"
        if isinstance(prompt, (list, tuple)):
            return self._generate_each(prompt, n, **kwargs)
        *_, last = self.generate_steps(prompt, n, **kwargs)
        return [self.vocab.decode(row) for row in last.x.tolist()]

    def _generate_each(self, prompts, n, seed=0, length=None, max_new_tokens=None, **kwargs):
        "`n` texts for each prompt, in order; those of one length are written together"
        _check_sampling(kwargs)
        if not prompts:
            raise CallError('expected prompts, got an empty list')
        self._check_room(len(prompts) * whole_number(n, 'n'), 1)
        rows = [prompt for prompt in prompts for _ in range(n)]
        lengths = [self._row_length(prompt, length, max_new_tokens) for prompt in rows]
        texts, generator = {}, _generator(seed)
        for size in sorted(set(lengths)):
            where = [i for i, length in enumerate(lengths) if length == size]
            ids, mask = self.healed_prompts([rows[i] for i in where], size, generator, **_of_prompts(kwargs))
            *_, last = self.fill_steps(ids, mask, generator, **kwargs)
            texts |= dict(zip(where, map(self.vocab.decode, last.x.tolist())))
        return [texts[i] for i in range(len(rows))]


# what other libraries call it, and what it is called here
_OTHERS = dict(
    max_length='length', max_tokens='max_new_tokens', num_samples='n', num_return_sequences='n', prompts='prompt',
    text='prompt', num_steps='steps', num_inference_steps='steps', random_seed='seed',
)


def _check_sampling(options):
    "Raises `CallError` for a keyword that `fill_steps` does not take"
    steps, names = inspect.signature(GenerationMixin.generate_steps), ('prompt', 'n')
    check_keywords(options, [*names, *steps.parameters], '`generate`', _OTHERS)


def _of_prompts(options):
    "The options of a sampler that the ends of prompts are written with, too; what is no number is refused later"
    chosen = {name: options[name] for name in ('temperature', 'top_p') if name in options}
    return {name: value for name, value in chosen.items() if isinstance(value, Real) and value >= 0}


def _prompt_and_number(prompt, n):
    "`(prompt, n)` of a call, which may give a number alone. Raises `CallError`"
    if hasattr(prompt, '__index__') and not isinstance(prompt, bool) and n == 1:
        prompt, n = '', prompt
    check_type(prompt, str, 'a text as prompt', '`generate` also takes a list of texts')
    number = f'the number of samples must be at least 1, got {described(n)}'
    if not hasattr(n, '__index__') or isinstance(n, bool) or n < 1:
        raise CallError(number)
    return prompt, int(n)


def _generator(seed):
    "A generator that one seed makes. Raises `CallError`"
    return torch.Generator().manual_seed(checked_seed(seed))
