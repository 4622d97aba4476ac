import pytest
import torch
from visual_token_diffusion.models.pixel import PatchEmbedding, PieceEmbedding, WordTagger


def test_patches_are_standardized_and_placed():
    torch.manual_seed(0)
    embed = PatchEmbedding(4, 2, 8, mean=0.5, std=0.25)
    patches = torch.rand(3, 4, 4)
    plain = ((patches - 0.5) / 0.25) @ embed.proj.weight.T + embed.proj.bias + embed.place
    torch.testing.assert_close(embed(patches), plain)
    torch.testing.assert_close(embed(patches[:, :2]), plain[:, :2])


@pytest.mark.parametrize('shape', [(1, 4, 5), (1, 5, 4), (4, 4)])
def test_patches_of_other_shapes(shape):
    with pytest.raises(ValueError, match='patches should be'):
        PatchEmbedding(4, 2)(torch.zeros(shape))


def test_too_many_pieces():
    with pytest.raises(ValueError, match='up to 3 pieces'):
        PieceEmbedding(5, 3)(torch.zeros(1, 4, dtype=torch.long))


def test_a_word_is_tagged_at_its_first_piece_and_padding_is_not_seen():
    torch.manual_seed(0)
    tagger = WordTagger(PieceEmbedding(9, 6, 16), 3, 16, 1, 2).eval()
    pieces = torch.tensor([[1, 2, 3, 4, 0, 0]])
    real = pieces > 0
    whole = tagger(pieces, torch.arange(6)[None], real)
    torch.testing.assert_close(tagger(pieces, torch.tensor([[0, 2]]), real), whole[:, [0, 2]])
    other = torch.tensor([[1, 2, 3, 4, 7, 8]])
    torch.testing.assert_close(tagger(other, torch.arange(4)[None], real), whole[:, :4])
