"Every registered encoder: grids of whole 255ths, all different, the same from ids and from codes."

import pytest
import torch
from support.parts import V, encoders
from support.standin import DEVICE, StandIn, on_device, stand_in_device

PARTS = encoders()


@pytest.fixture(params=list(PARTS))
def encoder(request):
    return PARTS[request.param].eval()


def test_grids_are_pictures(encoder):
    grids = encoder(torch.arange(V))
    assert grids.shape == (V, 3, encoder.size, encoder.size) and grids.dtype == torch.float32
    assert 0 <= grids.min() and grids.max() <= 1
    torch.testing.assert_close(grids * 255, (grids * 255).round(), rtol=0, atol=1e-3)


def test_every_token_has_its_own_grid_and_the_margin_says_how_far(encoder):
    grids = encoder(torch.arange(V)).flatten(1).double()
    distances = torch.cdist(grids, grids).fill_diagonal_(torch.inf)
    assert encoder.margin() > 0
    assert distances.min().item() >= encoder.margin() - 1e-6


def test_any_shape_of_ids(encoder):
    ids = torch.arange(6).view(2, 3)
    assert encoder(ids).shape[:2] == (2, 3)
    assert torch.equal(encoder(ids)[1, 2], encoder(torch.tensor(5)))
    assert len(encoder(torch.zeros(0, dtype=torch.long))) == 0


def test_render_agrees_with_ids(encoder):
    if encoder.name == 'dct':
        with pytest.raises(ValueError, match='code'):
            encoder.render(torch.zeros(1, 3, dtype=torch.long))
    else:
        assert torch.equal(encoder.render(encoder.table.codes), encoder(torch.arange(V)))


def test_saving_and_loading_keeps_the_grids(encoder):
    state = {k: v.clone() for k, v in encoder.state_dict().items()}
    grids = encoder(torch.arange(V)).clone()
    encoder.load_state_dict(state)
    assert torch.equal(encoder(torch.arange(V)), grids)


def test_on_the_stand_in_device(encoder):
    with stand_in_device():
        moved = on_device(encoder)
        grids = moved(torch.arange(V).to(DEVICE))
        assert isinstance(grids, StandIn)
        assert moved.margin() == encoder.margin()
        assert torch.equal(grids.cpu(), encoder(torch.arange(V)))


@pytest.mark.parametrize('bad', [torch.tensor([V]), torch.tensor([-1])])
def test_unknown_ids_are_refused_in_one_line(encoder, bad):
    with pytest.raises(ValueError, match='token ids') as e:
        encoder(bad)
    assert '\n' not in str(e.value)
