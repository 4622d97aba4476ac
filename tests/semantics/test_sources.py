"Sources of meaning behind one call."

import math
import sys
import numpy as np, pytest, torch
from support import sentence_model
from visual_token_diffusion.semantics.base import Semantics
from visual_token_diffusion.semantics.cooccurrence import cooccurrence
from visual_token_diffusion.semantics.sources import features
from visual_token_diffusion.worlds.stories import stories, story_text

gen = lambda s=0: torch.Generator().manual_seed(s)


@pytest.mark.parametrize(
    'source,kw',
    [
        ('cooccurrence', dict(text=story_text(300, gen()), missing='zero')),
        ('clip', {}),
        ('glyphs', {}),
        ('random', {}),
        ('one_hot', {}),
        (lambda ws: [[len(w), 1.0] for w in ws], {}),
        (np.eye(192), {}),
    ],
)
def test_every_source_gives_a_row_per_token(source, kw):
    words = stories().words
    a, b = (features(words, source, **kw) for _ in range(2))
    assert a.shape[0] == 192 and a.dtype == torch.float32 and torch.equal(a, b)


@pytest.mark.parametrize(
    'call,why',
    [
        (lambda: features([], 'clip'), 'no tokens'),
        (lambda: features(['a'], 'clop'), 'no semantics .clop.'),
        (lambda: features(['a'], 'cooccurrence', text=''), 'empty'),
        (lambda: features(['a', 'zz'], 'cooccurrence', text='a b a'), "such as 'zz'"),
        (lambda: features(['a'], {'b': [1]}), 'knows nothing'),
        (lambda: features(['a'], np.zeros((2, 2))), '1 rows'),
        (lambda: features(['a'], [[math.nan]]), 'nan'),
        (lambda: features(['a', 'b'], 'one_hot', dim=1), 'as many dimensions'),
        (lambda: cooccurrence([], 5), 'empty'),
        (lambda: cooccurrence([9], 5), '0..4'),
    ],
)
def test_bad_input_is_one_line(call, why):
    with pytest.raises(ValueError, match=why) as e:
        call()
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('name', sorted(set(Semantics.names()) - {'pictures'}))
def test_every_part_can_be_built_for_a_model(name, monkeypatch):
    monkeypatch.setitem(sys.modules, 'sentence_transformers', sentence_model.module())
    ids = torch.randint(0, 9, (500,), generator=gen())
    tokens = [f'w{i}' for i in range(9)]
    a, b = (Semantics.part(name).build(ids=ids, dim=5).features(tokens) for _ in range(2))
    assert a.shape[0] == 9 and a.dtype == torch.float32 and a.isfinite().all()
    assert torch.equal(a, b)
