"""What is answered and rewarded: pictures written for captions, questions about scenes."""

from typing import NamedTuple

import torch

from ...core.sampling import sample_categorical
from ...models.unified.sampling import write
from ...models.unified.sequences import END
from ...samplers.masked import sample_masked

__all__ = ['Answers', 'ReadingTask', 'WritingTask', 'matches_caption', 'right_answer', 'shuffled']


class Answers(NamedTuple):
    "B answers (B,L) long, where they may be masked, what is always hidden (B,L) bool, their rewards (B,)"

    prompts: list
    ids: torch.Tensor
    maskable: torch.Tensor
    hidden: torch.Tensor
    rewards: torch.Tensor


def _chosen(scores, ids):
    "(B,L) nats: log-probabilities of ids (B,L) by scores (B,L,K)"
    return scores.log_softmax(-1).gather(-1, ids[..., None])[..., 0]


class WritingTask:
    "Pictures of masked codes for captions; a prompt is a caption"

    def __init__(
        self,
        reward,  # function of captions and pictures (B,3,S,S): (B,) float
        steps: int = 0,  # network calls of a picture; 0: one a place
        temperature: float = 1.0,
    ):
        self.reward = reward
        self.steps, self.temperature = steps, temperature

    def check(self, model):
        "Refuse a model whose pictures are not masked codes. Raises `ValueError`"
        if model.switches.picture_objective != 'masked':
            raise ValueError(f'UniGRPO needs masked codes to write, not {model.switches.picture_objective}')

    def answers(self, model, prompts, generator):
        "`Answers` to captions"
        out = write(model, prompts, self.steps, generator=generator, temperature=self.temperature)
        ids = out.codes.flatten(1)
        all_places = torch.ones_like(ids, dtype=torch.bool)
        rewards = self.reward(prompts, out.images)
        return Answers(prompts, ids, all_places, ~all_places, rewards)

    def log_probs(self, model, answers, mask):
        "(B,L) nats of the codes, of which `mask` (B,L) is hidden"
        scores = model.write_out(answers.ids, model.encode_captions(answers.prompts), mask)
        return _chosen(scores, answers.ids + model.starts)


class ReadingTask:
    "Answers of masked words; a prompt is a pair (scene number, question)"

    def __init__(
        self,
        world,  # a `World`
        reward,  # function of prompts and answers (strings): (B,) float
        steps: int = 0,  # network calls of an answer; 0: one a word
        temperature: float = 1.0,
        **options,  # of `sample_masked`, such as `order`
    ):
        self.world, self.reward = world, reward
        self.steps, self.temperature = steps, temperature
        self.options = options

    def check(self, model):
        "Refuse a model whose words are not masked. Raises `ValueError`"
        if model.switches.text_objective != 'masked':
            raise ValueError(f'UniGRPO needs masked words to read, not {model.switches.text_objective}')

    def _images(self, model, prompts):
        return self.world.render(torch.tensor([scene for scene, _ in prompts]), model.pictures.size)

    def answers(self, model, prompts, generator):
        "`Answers` to questions; of the end marks only the first is learned, the rest stays hidden"
        asked = [(question, '') for _, question in prompts]
        given = model.given_words(asked)
        ids = self._draw(model, prompts, model.encode_captions(asked), given, generator)
        is_end = ids == model.mark(END)
        hidden = (is_end.cumsum(1) - is_end.long()) > 0
        said = [model.decode_captions(row[~known][None])[0] for row, known in zip(ids, given)]
        return Answers(prompts, ids, ~given & ~hidden, hidden, self.reward(prompts, said))

    @torch.no_grad()
    def _draw(self, model, prompts, ids, given, generator):
        "(B,T) long: the words (B,T), with those drawn that are not given"
        x, images = model.encode_pictures(self._images(model, prompts))

        def denoise(ids, mask, where):
            log_probs = model.read_scores(x, images, ids, mask)[where].log_softmax(-1)
            drawn = sample_categorical((log_probs / self.temperature).softmax(-1), generator)
            return drawn, log_probs.gather(-1, drawn[:, None])[:, 0]

        steps = min(self.steps or model.text_length, model.text_length)
        *_, last = sample_masked(denoise, None, ids, mask=~given, steps=steps, generator=generator, **self.options)
        return last.x

    def log_probs(self, model, answers, mask):
        "(B,L) nats of the words, of which `mask` (B,L) is hidden"
        x, images = model.encode_pictures(self._images(model, answers.prompts))
        scores = model.read_scores(x, images, answers.ids, mask | answers.hidden)
        return _chosen(scores, model.text_target(answers.ids))


def matches_caption(
    world,  # a `World`
):
    "A reward: 1 where the oracle finds a scene in the picture of which the caption is true, else 0"
    known = {}

    def reward(captions, images):
        found = []
        for caption, scene in zip(captions, world.parse(images).ids.tolist()):
            if scene >= 0 and scene not in known:
                known[scene] = world.captions(scene)
            found.append(float(scene >= 0 and caption in known[scene]))
        return torch.tensor(found)

    return reward


def right_answer(
    questions,  # `Questions`
    form: float = 0.0,  # more for reasoning of which every word has its place (MMaDA adds .5 to 2 for a right answer)
):
    "A reward: 1 where the result is right, else 0, and `form`"

    def reward(prompts, answers):
        checked = [questions.check(*prompt, answer) for prompt, answer in zip(prompts, answers)]
        return torch.tensor([row.right + form * (row.form and row.steps > 0) for row in checked])

    return reward


def shuffled(
    reward,  # function of prompts and answers: (B,) float
    group: int,  # answers to a prompt, side by side
    seed: int = 0,
):
    "The same rewards, dealt anew within every group: they say nothing of the answers"
    generator = torch.Generator().manual_seed(seed)

    def in_other_order(prompts, answers):
        rows = reward(prompts, answers).view(-1, group)
        order = torch.rand(rows.shape, generator=generator).argsort(1)
        return rows.gather(1, order).flatten()

    return in_other_order
