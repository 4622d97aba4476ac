"Experiments. Some import fastai before `training`, which keeps that import quiet: so does this."

import warnings

warnings.filterwarnings('ignore', category=FutureWarning, module='torch|fastai|accelerate')
