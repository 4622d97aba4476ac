"What a person asks a model of a text: codes, likelihood, pictures; arrays, pictures and paths as grids."

import math

import numpy as np
import pytest
import torch
from PIL import Image
from support.parts import shaken

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.viz.grids import Grids, sentence_image

TEXT = 'the cat sees the dog .\na dog finds the red berry .\n' * 40
VOCAB = make_vocab('words', TEXT)
SMALL = ['width=32', 'depth=2', 'heads=2', 'length=16', 'feature_dim=12']
SAID = 'the cat sees the dog .'


def made(**options):
    torch.manual_seed(0)
    overrides = SMALL + [f'{k}={v}' for k, v in options.items()]
    return shaken(build_model(VOCAB, torch.tensor(VOCAB.encode(TEXT)), load_settings('ci', overrides))).eval()


@pytest.fixture(scope='module')
def model():
    return made()


def test_the_model_that_ships_needs_no_name():
    model = VisualTokenLM.from_pretrained()
    codes = model.encoder.codes[model.vocab.index['cat']].tolist()
    assert len(model.vocab) == 194 and model.codes('cat') == tuple(codes)


def test_codes_survive_saving(model, tmp_path):
    model.save_pretrained(tmp_path / 'm')
    again = VisualTokenLM.from_pretrained(tmp_path / 'm')
    assert again.codes('dog') == model.codes('dog') and 'codes' in again.state_dict()
    assert len({model.codes(word) for word in ('cat', 'dog', 'red')}) == 3


def test_the_likelihood_of_an_autoregressive_model_is_exact():
    "Summed over all texts of one token it is one; a long text counts in windows"
    model = made(process='autoregressive')
    total = sum(math.exp(-model.nelbo(model.vocab.decode([i])).total) for i in range(1, len(VOCAB)))
    unknown = -model(torch.tensor([[0]])).item()
    assert abs(total + math.exp(unknown) - 1) < 1e-4
    found = model.nelbo(SAID)
    assert found.exact and found.se == 0 and found.tokens == 6 and found.mean * 6 == pytest.approx(found.total)
    long = '\n'.join(TEXT.splitlines()[:9])
    ids = torch.tensor(VOCAB.encode(long))
    with torch.no_grad():
        whole = sum(model(part[None]).item() for part in ids.split(16))
    assert len(ids) > 32 and model.nelbo(long).total == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize('process', ['masked', 'partial'])
def test_a_bound_has_an_error_that_covers_other_draws(process):
    model = made(process=process)
    one, again, other = (model.nelbo(SAID, draws=64, seed=seed) for seed in (0, 0, 1))
    assert one == again and one != other and not one.exact and one.se > 0
    many = model.nelbo(SAID, draws=1024, seed=2)
    assert abs(one.mean - many.mean) < 5 * one.se and many.se < one.se
    assert 'a bound' in repr(one) and '6 tokens' in repr(one)


def test_asking_leaves_the_model_as_it_was(model):
    model.train()
    state = torch.get_rng_state()
    model.nelbo(SAID)
    assert model.training and torch.equal(state, torch.get_rng_state())
    model.eval()


def test_grids_come_in_many_forms(model, tmp_path):
    path = model.save_image(SAID, tmp_path / 'x.png')
    grids = model.encode_text(SAID)
    image = Image.open(path)
    bits = (grids.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)
    forms = [grids, grids.numpy(), grids.double(), bits, bits / 255]
    forms += [list(grids), [*bits], [Image.fromarray(b) for b in bits]]
    forms += [path, str(path), image, image.convert('RGB'), Grids(grids), [grids[:2], bits[2:]]]
    assert [model.decode_grids(form) for form in forms] == [SAID] * len(forms)
    assert model.decode_grids(grids[0]) == model.decode_grids(Image.fromarray(bits[0])) == 'the'
    assert sentence_image(grids.numpy()).size == sentence_image(grids).size
    assert model.show(SAID).height > model.show(SAID, width=200).height > 20


def test_prompts_in_a_list(model):
    prompts = ['the cat', '', 'the cat sees']
    texts = model.generate(prompts, steps=4, max_new_tokens=3)
    assert [len(VOCAB.encode(text)) for text in texts] == [5, 3, 6]
    assert all(text.startswith(prompt) for text, prompt in zip(texts, prompts))
    assert texts == model.generate(tuple(prompts), 1, steps=4, max_new_tokens=3)
    two = model.generate(['the cat', 'a dog'], n=2, steps=4, length=6)
    assert [text[:5] for text in two] == ['the c', 'the c', 'a dog', 'a dog']
    for number in (3, np.int64(3)):
        assert len(model.generate(number, steps=2, length=4)) == 3
    assert len(VOCAB.encode(model.generate('the', steps=2, max_new_tokens=4)[0])) == 5


WRONG = {
    'at least 1, got 0': lambda m: m.generate(0),
    "got the text '3'": lambda m: m.generate('the', n='3'),
    "no 'max_length'; here it is 'length'": lambda m: m.generate(max_length=9),
    "did you mean 'temperature'": lambda m: m.generate(temprature=1),
    'expected a text as prompt, got None': lambda m: m.generate(None),
    'length should be a whole number of at least 1, got 0': lambda m: m.generate(length=0),
    'give one of them': lambda m: m.generate(length=9, max_new_tokens=4),
    'expected prompts, got an empty list': lambda m: m.generate([]),
    'got 3; several prompts': lambda m: m.generate(['the', 3]),
    'a number as temperature': lambda m: m.generate(temperature='hot'),
    'seed should be a whole number that fits': lambda m: m.generate(seed=2**70),
    'expected a sampler or its text': lambda m: m.generate(sampler=5),
    'got 3 bytes; for token ids': lambda m: m.encode_text(b'cat'),
    'to draw a text, encode it': lambda m: m.decode_grids('the cat'),
    'cannot read no.png': lambda m: m.decode_grids('no.png'),
    'a tensor, an array, a picture or the path': lambda m: m.decode_grids(None),
    'floats in .0,1. or of 8 bits, got int64': lambda m: m.decode_grids(np.zeros((1, 3, 8, 8), int)),
    'without our text chunk': lambda m: m.decode_grids(Image.new('RGB', (40, 30), 'red')),
    'is 2 tokens .the cat.; ask for the codes of one': lambda m: m.codes('the cat'),
    "has no 'zebra'": lambda m: m.codes('zebra'),
    'encoder.codes.ids': lambda m: m.codes(5),
    'got an empty one': lambda m: m.nelbo(''),
    'expected a text, got a tensor .1,3,8,8.': lambda m: m.nelbo(torch.zeros(1, 3, 8, 8)),
    'draws should be a whole number of at least 2': lambda m: m.nelbo(SAID, draws=1),
    'for grids call': lambda m: m.show(m.encode_text(SAID)),
    'x.jpg. should end in .png': lambda m: m.save_image(SAID, 'x.jpg'),
    'expected a folder or the name of a model': lambda m: VisualTokenLM.from_pretrained(5),
    'expected a vocabulary, got the text': lambda m: VisualTokenLM('words', None),
}


@pytest.mark.parametrize('why', WRONG)
def test_wrong_calls_are_refused_in_one_line(why, model):
    with pytest.raises(ValueError, match=why) as e:
        WRONG[why](model)
    assert '\n' not in str(e.value) and len(str(e.value)) < 250


@pytest.mark.parametrize('options', [dict(order='confidence'), dict(block=4), dict(remask=True)])
def test_a_model_that_writes_from_the_left_refuses_what_it_would_ignore(options):
    model = made(process='autoregressive')
    with pytest.raises(ValueError, match=f'leave out {next(iter(options))}, which masked models take'):
        model.generate(**options)
