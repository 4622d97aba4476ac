"""fastai's wrapper of torch's optimizers; its hyperparameters are looked up five times a step, here in a plain loop."""

from numbers import Number

from fastai.optimizer import OptimWrapper

__all__ = ['QuickOptimWrapper']


def _flat(group):
    "`(name, value)` of the hyperparameters of a group; a part of a tuple is numbered, such as `betas__0`"
    for name, value in group.items():
        if name == 'params':
            continue
        if not isinstance(value, (tuple, list)):
            yield name, value
            continue
        for i, part in enumerate(value):
            yield f'{name}__{i}', part


class QuickOptimWrapper(OptimWrapper):
    "An `OptimWrapper` whose `hypers` cost a tenth"

    @property
    def hypers(self):
        "A dictionary of hyperparameters for each group of parameters, by fastai's names"
        return [{self.fwd_map.get(k, k): v for k, v in _flat(group)} for group in self.opt.param_groups]

    def set_hyper(
        self,
        k,  # name
        v,  # number, or what an `OptimWrapper` takes
    ):
        "Set a hyperparameter; one number for one group of parameters needs no lists"
        if isinstance(v, Number) and len(self.opt.param_groups) == 1:
            self._set_hyper(k, [v])
        else:
            super().set_hyper(k, v)
