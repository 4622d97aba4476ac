"""Which caption belongs to a picture, and which picture to a caption, by likelihood."""

import torch

__all__ = ['likelihood_tables', 'per_pool', 'recall_at_1', 'retrieval', 'retrieval_ceilings']


def recall_at_1(
    scores,  # (n,n) float: of candidate j for query i; candidate i is the right one
) -> float:
    "How often the right candidate has the highest score; where several share it, one of them is taken at random"
    if scores.dim() != 2 or scores.shape[0] != scores.shape[1]:
        raise ValueError(f'scores are (queries, candidates), as many of each, got {tuple(scores.shape)}')
    best = scores >= scores.amax(1, keepdim=True)
    return float((best.diagonal() / best.sum(1)).mean())


@torch.no_grad()
def likelihood_tables(
    model,  # with `caption_nll(pictures, captions)` and `picture_nll(captions, pictures)`
    pictures,  # (n,3,S,S) float
    captions,  # n strings
    batch: int = 256,  # pairs at a time
) -> dict:
    "`{'caption', 'picture'}`: (n,n) nats, log p(caption j | picture i) and log p(picture i | caption j) or None"
    n = len(captions)
    i, j = (index.flatten() for index in torch.meshgrid(torch.arange(n), torch.arange(n), indexing='ij'))
    tables = dict(caption=[], picture=[])
    for rows, cols in zip(i.split(batch), j.split(batch)):
        images, texts = pictures[rows], [captions[col] for col in cols.tolist()]
        tables['caption'].append(model.caption_nll(images, texts))
        tables['picture'].append(model.picture_nll(texts, images))
    missing = [name for name, parts in tables.items() if parts[0] is None]
    return {name: None if name in missing else -torch.cat(parts).view(n, n) for name, parts in tables.items()}


def per_pool(
    table,  # (n,n) nats: log p(caption j | picture i)
) -> torch.Tensor:
    "(n,n) nats: the same less the log of the caption's mean probability over the pictures: what it says of this one"
    return table - table.logsumexp(0, keepdim=True)


def retrieval(
    model,  # as for `likelihood_tables`
    pictures,  # (n,3,S,S) float
    captions,  # n strings, caption i of picture i
) -> dict:
    """Recall at 1 in both directions, by each likelihood. A picture's caption is to be ranked by what it says of this
    picture: by p(caption | picture) over its mean, or by p(picture | caption); p(caption | picture) alone prefers
    short captions"""
    tables = likelihood_tables(model, pictures, captions)
    said = tables['caption']
    found = {
        'picture for caption, by caption': recall_at_1(said.T),
        'caption for picture, by caption': recall_at_1(said),
        'caption for picture, by caption per pool': recall_at_1(per_pool(said)),
    }
    if tables['picture'] is not None:
        found['picture for caption, by picture'] = recall_at_1(tables['picture'].T)
        found['caption for picture, by picture'] = recall_at_1(tables['picture'])
    return found


def retrieval_ceilings(
    world,  # a `World`
    ids,  # (n,) scene numbers, drawn independently
    captions,  # n strings, caption i of scene i
) -> dict:
    """Exact, for this pool: what the best ranking reaches on average, since captions are shared by scenes, and what
    ranking by p(caption | picture) alone does; and chance"""
    known = [world.captions(i) for i in ids.tolist()]
    p = torch.tensor([[row.get(text, 0.0) for text in captions] for row in known], dtype=torch.float64)
    share = torch.tensor([_marginal(world, text) for text in captions], dtype=torch.float64)
    told = p / share  # p(scene | caption), times the number of scenes
    told = told / told.sum(1, keepdim=True)
    likeliest = p >= p.amax(1, keepdim=True)
    return {
        'picture for caption': float((p.amax(0) / p.sum(0)).mean()),
        'caption for picture': float(told.amax(1).mean()),
        'caption for picture, by caption': float(((told * likeliest).sum(1) / likeliest.sum(1)).mean()),
        'chance': 1 / len(captions),
    }


def _marginal(world, caption):
    "The probability of a caption, over all scenes"
    scene, given = next(iter(world.scenes_for(caption).items()))
    return world.captions(scene)[caption] / len(world) / given
