"""Codebooks: how well a token's codes say what it means, and how many bits a text takes that is told by them."""

import math

import torch

from ...codebooks.base import fit_sizes
from ...codebooks.random import RandomCodebook
from ...codebooks.table import CodeTable
from ...encoders.semantic import SemanticVisualEncoder
from ...metrics.codes import mutual_information
from ...metrics.ngram import NGram, unigram_nll
from ...viz.grids import legend
from .base import BrokenPart, Comparison, Measure, Measurement
from .tokens import tokens_of

__all__ = ['CodebookComparison', 'code_bits', 'explained_variance']


def explained_variance(
    features,  # (V,D)
    codes,  # (V,) long
):
    "Share of the features' variance that lies between the codes' groups"
    x = features.double() - features.double().mean(0)
    n = int(codes.max()) + 1
    sums = torch.zeros(n, x.shape[1], dtype=x.dtype).index_add(0, codes, x)
    counts = codes.bincount(minlength=n).double().clamp(min=1)
    return float((sums.square() / counts[:, None]).sum() / x.square().sum())


def code_bits(
    table,  # a `CodeTable`
    ids,  # (N,) long: a text; the last tenth is held out
    order: int = 5,  # codes that a run has
):
    "Bits of a held-out token, told code by code: interpolated Kneser-Ney over the stream of codes"
    starts = torch.tensor([0, *table.sizes[:-1]]).cumsum(0)
    cut, width = int(0.9 * len(ids)), sum(table.sizes)
    stream = (table.codes.cpu()[ids.cpu()] + starts).numpy()
    train, held = stream[:cut].ravel(), stream[cut:].ravel()
    model = NGram(train, width, order)
    return float(-model.log_prob(held).mean()) * table.n_codebooks / math.log(2)


class CodebookComparison(Comparison):
    "Codebooks of the words of a text"

    seam = 'codebook'
    about = 'Codebooks of the words of a text: what their codes say of meaning, and how cheaply they tell the text.'
    worlds = 'stories', 'text'
    baseline = 'balanced'
    control = 'random codes'
    trivial = 'words without context'
    measures = (
        Measure('bits', 'bits of a word'),
        Measure('category', 'category bits of the first code', 'more'),
        Measure('explained', 'share of meaning in the first code', 'more'),
    )
    settings = dict(ci=dict(sentences=600), cpu=dict(sentences=6000, tokens=512), gpu=dict(sentences=60000))

    def measure(self, part, options, world, seed, cfg):
        return self._measured(part(**options), world, seed, cfg)

    def measure_control(self, world, seed, cfg):
        return self._measured(RandomCodebook(), world, seed, cfg)

    def _assigned(self, codebook, tokens, seed):
        "The `CodeTable` of a codebook, asked twice"
        counts = tokens.ids.bincount(minlength=len(tokens.names)).float()
        tables = [
            codebook.assign(tokens.features, None, torch.Generator().manual_seed(seed), counts) for _ in range(2)
        ]
        if not all(isinstance(table, CodeTable) for table in tables):
            raise BrokenPart(f'assign should return a CodeTable, got {type(tables[0]).__name__}')
        if len(tables[0]) != len(tokens.names):
            raise BrokenPart(f'{len(tokens.names)} tokens need codes, {len(tables[0])} have some')
        if not torch.equal(tables[0].codes, tables[1].codes):
            raise BrokenPart('two calls with the same generator give different codes')
        return tables[0]

    def _measured(self, codebook, world, seed, cfg):
        tokens = tokens_of(world, seed, cfg)
        table = self._assigned(codebook, tokens, seed)
        first = table.codes[:, 0]
        numbers = dict(bits=code_bits(table, tokens.ids), explained=explained_variance(tokens.features, first))
        if tokens.categories is not None:
            numbers['category'] = mutual_information(first[:, None], tokens.categories).bits
        return Measurement(numbers, picture=_shown(table, tokens), facts=dict(sizes='x'.join(map(str, table.sizes))))

    def measure_trivial(self, world, seed, cfg):
        ids = tokens_of(world, seed, cfg).ids
        cut = int(0.9 * len(ids))
        n = int(ids.max()) + 1
        return dict(bits=float(unigram_nll(ids[:cut], ids[cut:], n)) / math.log(2), category=0.0, explained=0.0)

    def floors(self, world, cfg):
        if not world.grammar:
            return {}
        tokens = tokens_of(world, 0, cfg)
        most = mutual_information(tokens.categories[:, None], tokens.categories).most
        entries = fit_sizes(len(tokens.names), 3)[0]
        per_word = world.grammar.entropy() / (world.grammar.mean_length() + 1)
        return dict(bits=per_word, category=min(most, math.log2(entries)))


def _shown(table, tokens, n=12):
    "Pictures of the most frequent words, in the order of their codes"
    frequent = tokens.ids.bincount(minlength=len(tokens.names)).argsort(descending=True)[: 2 * n]
    order = frequent[table.node_index(table.codes[frequent]).argsort()]
    grids = SemanticVisualEncoder(table, 8)(order)
    return legend({'': grids}, words=[tokens.names[i] for i in order.tolist()])
