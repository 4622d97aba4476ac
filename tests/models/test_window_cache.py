"Rows that go on from different places are read as whole rows are; drafts that are rejected leave nothing behind."

import pytest
import torch
from support.shaken_model import shaken_model

from visual_token_diffusion.samplers.speculative import sample_speculative

L, AHEAD = 16, 5


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def model_of(head, process='autoregressive'):
    return shaken_model(head, process, 'heads=2', 'depth=2', length=L)


@pytest.mark.parametrize('head', ['feature_tree', 'flat', 'hierarchical'])
def test_windows_are_parts_of_whole_rows(head):
    "What stood in a place before a token was replaced does not count"
    model, train = model_of(head)
    predictor, given = model.process.predictor(model), torch.tensor([0, 3, 1, 2])
    x, other = train[: 4 * L].view(4, L), train[100 : 100 + 4 * L].view(4, L)
    drafted = torch.where(torch.arange(L) < given[:, None], x, other)
    window = predictor.window(drafted, 3, AHEAD)
    window(drafted, given)
    for further in ([0, 0, 0, 0], [1, 5, 2, 0], [6, 8, 7, 5]):
        first = given + torch.tensor(further)
        places = first[:, None] + torch.arange(AHEAD)
        torch.testing.assert_close(window(x, first), predictor.at(x, places), rtol=1e-4, atol=1e-5)
        whole = predictor(x, None).gather(1, places[..., None].expand(-1, -1, len(model.vocab)))
        torch.testing.assert_close(predictor.at(x, places), whole, rtol=1e-4, atol=1e-5)


def test_places_behind_the_end_are_asked_for_in_vain():
    model, train = model_of('flat')
    predictor, x = model.process.predictor(model), train[: 2 * L].view(2, L)
    window = predictor.window(x, L, AHEAD)
    inside = window(x, torch.tensor([L - 2, L]))[0, :2]
    places = torch.tensor([[L - 2, L - 1], [0, 1]])
    torch.testing.assert_close(inside, predictor.at(x, places)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('head', ['feature_tree', 'flat'])
def test_texts_are_those_of_rows_that_are_read_whole(head, seed):
    model, train = model_of(head)
    ids = train[: 3 * L].view(3, L)
    mask = torch.arange(L) >= torch.tensor([[3], [0], [5]])

    def written(predict, **options):
        with torch.no_grad():
            steps = sample_speculative(predict, None, ids, mask=mask, generator=gen(seed), **options)
            return list(steps)[-1]

    predictor = model.process.predictor(model)
    for options in (dict(), dict(draft=2, context=1, temperature=0.7, top_p=0.9)):
        with_cache = written(predictor, **options)
        whole = written(lambda x, mask, where: predictor(x, mask, where), **options)
        assert torch.equal(with_cache.x, whole.x)
        torch.testing.assert_close(with_cache.confidence, whole.confidence, rtol=1e-4, atol=1e-4)


def test_models_that_look_both_ways_keep_nothing():
    model, _ = model_of('flat', 'masked')
    with pytest.raises(ValueError, match='causal'):
        model.window_cache(2, L)
