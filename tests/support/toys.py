"""Enumerable toys: a perfect denoiser as the model that processes and samplers ask for."""

from visual_token_diffusion.experiments.compare.toys import PerfectModel, toy_table
from visual_token_diffusion.metrics.toy import Denoiser, Toy

__all__ = ['ToyModel', 'perfect_model', 'toy_table']


class ToyModel(PerfectModel):
    "The model of a toy's denoiser"

    def __init__(self, denoiser, is_causal=False):
        super().__init__(denoiser.toy, is_causal, denoiser)


def perfect_model(toy=None, is_causal=False):
    return ToyModel(Denoiser(toy or Toy()).eval(), is_causal)
