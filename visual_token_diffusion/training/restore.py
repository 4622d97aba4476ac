"""A state is only continued with the settings, the text and the vocabulary that it was made with."""

from dataclasses import asdict

from ..core.config import RunConfig
from ..core.errors import CheckpointError
from ..models.checkpoint import check_config, expected_shapes
from ..models.visual_token_lm import VisualTokenLM
from .dataloaders import rank_world
from .finished import finished_state
from .resume import load_state, state_files

__all__ = ['MAY_CHANGE', 'check_facts', 'restore_model', 'restore_optimizer']


# What does not touch the result
MAY_CHANGE = tuple('profile device compile threads save_steps keep sample_epochs workers monitor tracker'.split())


def check_facts(
    state: dict,  # from `load_state`
    cfg: RunConfig,  # of the training that continues
    corpus_hash: str,  # of its text
    vocab,  # its `Vocab`
    path,  # folder of the state
):
    "Refuse to continue something else. Raises `CheckpointError`"
    old, new = asdict(RunConfig()) | state['settings'], asdict(cfg)
    may_change = MAY_CHANGE + ('steps', 'epochs') * (state['epoch'] >= old['epochs'])
    changed = [f'{k}={old[k]}' for k in new if old[k] != new[k] and k not in may_change]

    def refuse(how, remedy):
        raise CheckpointError(f"{path} was trained {how}; {remedy}")

    if changed:
        refuse(f"with {', '.join(changed)}", 'continue with the same settings')
    then, now = state.get('processes', 1), rank_world()[1]
    if then != now:
        refuse(f'by {then} process(es), this is {now}', 'continue with as many')
    if state['corpus_hash'] != corpus_hash:
        refuse('on another text', 'give the same files to continue')
    if state['vocab'] == vocab.fingerprint:
        return
    version = state.get('library_version', 'that made it')
    refuse('with another vocabulary', f"continue with the library's version {version}")


def _in_one_line(error):
    return ' '.join(str(error).split())[:120]


def restore_model(
    path,  # folder of an interrupted training
    cfg: RunConfig,  # of the training that continues
    corpus_hash: str,  # of its text
    vocab,  # its `Vocab`
):
    "`(model, state)`. Raises `CheckpointError` in one line"
    finished = {} if state_files(path) else finished_state(path)
    state = finished or load_state(path)
    check_facts(state, cfg, corpus_hash, vocab, path)
    if finished:
        return VisualTokenLM.from_pretrained(path), state
    config, tensors = check_config(state['config'], path), state['model']
    try:
        for name, shape in expected_shapes(config, len(vocab)).items():
            if list(tensors[name].shape) != shape:
                raise ValueError(f"'{name}' has another shape")
        return VisualTokenLM.from_state(vocab, config, tensors), state
    except Exception as e:
        raise CheckpointError(
            f"the training state in {path} does not fit its model ({_in_one_line(e)}); "
            "train anew into another folder"
        ) from None


def _fits(parameter, moments):
    "Whether the state of AdamW, or of `Muon`, belongs to a parameter"
    if set(moments) == {'step', 'momentum'}:
        return moments['momentum'].shape == parameter.shape
    if set(moments) != {'step', 'exp_avg', 'exp_avg_sq'}:
        return False
    return all(moments[k].shape == parameter.shape for k in ('exp_avg', 'exp_avg_sq'))


def restore_optimizer(
    learn,  # a `Learner`
    state: dict,  # of its optimizer
    path,  # where it comes from
):
    "Give a Learner's new optimizer its state. Raises `CheckpointError` if that is damaged"
    learn.create_opt()
    try:
        learn.opt.load_state_dict(state)
        if all(_fits(p, moments) for p, moments in learn.opt.opt.state.items()):
            return
        raise ValueError('it does not fit the parameters')
    except Exception as e:
        raise CheckpointError(
            f"the optimizer's state in {path} is damaged ({_in_one_line(e)}); "
            "train anew into another folder"
        ) from None
