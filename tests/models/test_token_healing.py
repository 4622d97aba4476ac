"Prompts that end inside a token: what is written anew, with which probabilities, and what stays as it was."

import math

import pytest
import torch
from support.parts import gen, seeded

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.models.token_healing import heal_ends, open_end
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.text.byte_bpe import ByteBPEVocab
from visual_token_diffusion.text.vocab import make_vocab

TEXT = 'It was the cat that was there.\nIt was then that the cat washed.\n' * 30
VOCAB = ByteBPEVocab.from_text(TEXT, 320)


def model(process='autoregressive'):
    table = random_codes(len(VOCAB), 3, 8, generator=gen(0))
    made = seeded(lambda: VisualTokenLM(VOCAB, table, 8, 16, 1, 1, 16, process=process, head='hierarchical'))
    with torch.no_grad():
        for p in made.parameters():
            p += 0.3 * torch.randn(p.shape, generator=gen(p.numel()))
    return made.eval()


def test_what_is_open_at_the_end():
    def rest(text):
        kept, end = open_end(VOCAB, VOCAB.encode(text))
        assert VOCAB.decode(kept) + end.decode() == text
        return end.decode()

    assert rest('It wa') == ' wa' and rest('It was ') == ' '
    assert rest('It was t') == ' t'
    goes_on = any(len(token) > 1 and token.startswith(b'.') for token in VOCAB.bytes)
    assert (rest('It was there.') == '.') == goes_on
    assert open_end(VOCAB, []) == ([], b'')
    assert open_end(make_vocab('words', TEXT), [1, 2]) == ([1, 2], b'')
    assert open_end(make_vocab('bytes'), [65, 66])[1] == b'', 'no byte goes on'


@pytest.mark.parametrize('process', ['autoregressive', 'masked', 'partial'])
def test_every_text_begins_with_its_prompt(process):
    made = model(process)
    for prompt in ('It wa', 'It was ', 'It was the ca', 'é', 'It was there.', ''):
        for text in made.generate(prompt, n=3, max_new_tokens=6, steps=4):
            assert text.startswith(prompt)
    texts = made.generate(['It wa', 'the ', 'I'], n=2, length=12, steps=4)
    prompts = ['It wa', 'It wa', 'the ', 'the ', 'I', 'I']
    assert all(text.startswith(prompt) for text, prompt in zip(texts, prompts))
    assert made.generate('It wa', seed=3) == made.generate('It wa', seed=3) != made.generate('It wa', seed=4)


def test_tokens_have_the_probabilities_of_the_model():
    "The first token of the end against the model's own distribution, cut to what fits; `len(VOCAB)` tokens"
    made, n = model(), 4000
    kept, rest = open_end(VOCAB, VOCAB.encode('It wa'))
    ids, mask = made.prompt_ids(['It wa'] * n, 8)
    heal_ends(made, ids, mask, generator=gen(1))
    first = ids[:, len(kept)]
    row = torch.zeros(1, 8, dtype=torch.long)
    row[0, : len(kept)] = torch.tensor(kept)
    probs = made.head.log_probs(made.hidden_states(row)[:, len(kept)])[0].exp().double()
    fits = torch.tensor([t.startswith(rest) or rest.startswith(t) for t in VOCAB.bytes])
    want = torch.where(fits, probs, 0) / probs[fits].sum()
    found = first.bincount(minlength=len(VOCAB)) / n
    assert set(first.tolist()) <= set(fits.nonzero()[:, 0].tolist()) and fits.sum() >= 3
    assert (found - want).abs().max() < 4 * math.sqrt(0.25 / n)


def test_the_coldest_takes_the_likeliest():
    made = model()
    texts = {made.generate('It wa', seed=seed, temperature=0.0)[0] for seed in range(4)}
    assert len(texts) == 1


def test_a_prompt_that_fills_the_row_keeps_its_tokens():
    made, ids = model(), VOCAB.encode('It was')
    given, mask = made.prompt_ids(['It was'], len(ids) + 1)
    heal_ends(made, given, mask)
    assert len(ids) < 4 and given[0, : len(ids)].tolist() == ids and mask.sum() == 1
