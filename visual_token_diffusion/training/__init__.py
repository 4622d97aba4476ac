"Training with fastai, whose import is kept quiet here, once for all modules of the package."

import warnings

warnings.filterwarnings('ignore', category=FutureWarning, module='torch|fastai|accelerate')
warnings.filterwarnings('ignore', message='.*chained_assignment.*')
