"Laws of language models that hold for every size and every part, tried by hypothesis."

import string

import torch
from hypothesis import given
from hypothesis import strategies as st

from support.properties import few
from visual_token_diffusion.cli.batch import generate_batch
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.text.vocab import make_vocab

letters = string.ascii_lowercase * 4
pairs = [''.join(p) for p in zip(letters[::2], letters[1::2])]


@st.composite
def models(draw):
    "A fresh model with random codes"
    heads, features = draw(st.integers(1, 2)), draw(st.integers(0, 5))
    vocab = make_vocab('words', ' '.join(pairs[: draw(st.integers(3, 30))]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 9)))
    torch.manual_seed(0)
    return VisualTokenLM(
        vocab,
        random_codes(len(vocab), 3, 4, generator=generator),
        grid=draw(st.sampled_from([4, 5, 8, 16])),
        width=heads * 2 * draw(st.integers(1, 4)),
        depth=draw(st.integers(1, 3)),
        heads=heads,
        length=draw(st.integers(4, 12)),
        dropout=draw(st.sampled_from([0.0, 0.1])),
        features=torch.randn(len(vocab), features) if features else 0,
        head='feature_tree' if features else 'hierarchical',
        process=draw(st.sampled_from(['masked', 'autoregressive'])),
    ).eval()


@given(models())
@few
def test_a_saved_model_is_the_same_model(tmp_path_factory, model):
    folder = tmp_path_factory.getbasetemp() / 'model'
    model.save_pretrained(folder)
    again = VisualTokenLM.from_pretrained(folder)
    before, after = model.state_dict(), again.state_dict()
    assert before.keys() == after.keys() and again.config == model.config
    assert again.fingerprint == model.fingerprint and again.vocab.tokens == model.vocab.tokens
    for k, v in before.items():
        stored = v.half().to(v.dtype) if k.endswith('features') else v
        assert torch.equal(stored, after[k]), k
    other = VisualTokenLM.from_pretrained(folder)
    assert again.generate(n=2, seed=3, steps=2) == other.generate(n=2, seed=3, steps=2)


prompt_lengths = st.lists(st.integers(0, 3), min_size=1, max_size=4)


@given(models(), prompt_lengths, st.integers(1, 6), st.integers(0, 5))
@few
def test_every_text_begins_with_its_prompt(model, lengths, steps, seed):
    prompts = [' '.join(model.vocab.tokens[1 : 1 + n]) for n in lengths]
    generator = torch.Generator().manual_seed(seed)
    texts = generate_batch(model, prompts, generator, steps=steps)
    assert len(texts) == len(prompts)
    for text, prompt in zip(texts, prompts):
        assert text.startswith(prompt), (prompt, text)
