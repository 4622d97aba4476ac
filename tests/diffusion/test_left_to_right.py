"Writing from the left reads each position once, and gives what reading everything gives."

import pytest
import torch

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.diffusion.left_to_right import LeftToRight
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.worlds.stories import story_text

TEXT = story_text(200, torch.Generator().manual_seed(0))
VOCAB = make_vocab('words', TEXT)
IDS = torch.tensor(VOCAB.encode(TEXT))
N, L = 3, 8


@pytest.fixture
def model():
    options = ['width=16', 'heads=1', 'depth=2', f'length={L}', 'feature_dim=8', 'process=autoregressive']
    made = build_model(VOCAB, IDS, load_settings('ci', options)).eval()
    for p in made.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return made


class Counting:
    "Counts how often all positions are read"

    def __init__(self, model):
        self.model, self.calls = model, 0

    def cache(self, n, length):
        return self.model.cache(n, length)

    def hidden_states(self, x, mask):
        self.calls += 1
        return self.model.hidden_states(x, mask)


def rows_at(position):
    where = torch.zeros(N, L, dtype=torch.bool)
    where[:, position] = True
    return where


def asked(reader, x, position):
    mask = torch.arange(L).expand(N, -1) >= position
    with torch.no_grad():
        return reader.states(x, mask, rows_at(position))


def test_one_position_after_the_other_is_read_once(model):
    x, counting = IDS[: N * L].view(N, L), Counting(model)
    reader = LeftToRight(counting)
    full = model.hidden_states(x, None).detach()
    for position in range(L):
        torch.testing.assert_close(asked(reader, x, position), full[:, position], rtol=1e-4, atol=1e-5)
    assert counting.calls == 0 and reader.cache.position == L


def test_other_tokens_before_are_read_anew(model):
    x, reader = IDS[: N * L].view(N, L), LeftToRight(Counting(model))
    asked(reader, x, 2)
    other = x.roll(1, 0)
    full = model.hidden_states(other, None).detach()
    torch.testing.assert_close(asked(reader, other, 3), full[:, 3], rtol=1e-4, atol=1e-5)


def test_rows_that_do_not_go_together_and_long_prompts_are_read_as_a_whole(model):
    x, counting = IDS[: N * L].view(N, L), Counting(model)
    reader = LeftToRight(counting)
    where = torch.zeros(N, L, dtype=torch.bool)
    where[torch.arange(N), torch.tensor([1, 2, 3])] = True
    full = model.hidden_states(x, None)
    torch.testing.assert_close(reader.states(x, where, where), full[where])
    torch.testing.assert_close(asked(reader, x, L - 1), full[:, L - 1].detach())
    assert counting.calls == 2


def test_the_texts_are_those_of_reading_everything(model, monkeypatch):
    cached = model.generate(['the cat', '', ''], seed=3, sampler='autoregressive')
    monkeypatch.delattr(find_owner(type(model)), 'cache')
    assert model.generate(['the cat', '', ''], seed=3, sampler='autoregressive') == cached


def find_owner(kind):
    "The class that has the method"
    return next(c for c in kind.__mro__ if 'cache' in vars(c))
