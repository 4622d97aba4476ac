"The path of the course as data: its pages, what each introduces, its limits, its cell for Colab."

from .site import REPOSITORY

__all__ = ['BORROWED', 'CALLBACKS', 'COLAB_CELL', 'LIMITS', 'PATH', 'WIDGETS', 'colab_link', 'neighbors_of', 'owner_of']

_OWNER, _NAME = REPOSITORY.split('/')[-2:]

# number -> file and title
PATH = {
    1: ('01_five_words', 'Five words'),
    2: ('02_what_failed', 'What failed'),
    3: ('03_grids', 'Grids'),
    4: ('04_a_language_we_know', 'A language we know'),
    5: ('05_codebooks', 'Codebooks'),
    6: ('06_consistency', 'Consistency'),
    7: ('07_decoders', 'Decoders'),
    8: ('08_masked_diffusion', 'Masked diffusion'),
    9: ('09_painting_from_noise', 'Painting from noise'),
    10: ('10_guidance', 'Guidance'),
    11: ('11_many_scales', 'Many scales'),
    12: ('12_words_from_letters', 'Words from letters'),
    13: ('13_a_language_model_of_pictures', 'A language model of pictures'),
    14: ('14_train_it_on_a_gpu', 'Train it on a GPU'),
    15: ('15_what_we_found', 'What we found'),
}

LIMITS = dict(words=900, code=150, exported=40, longest=100)

# the new callback of a page
CALLBACKS = {
    2: 'ReadBackCB', 5: 'CodebookCB', 6: 'SimilarityCB', 7: 'NoiseCB', 8: 'ProcessCB', 9: 'NoiseCB',
    10: 'DropConditionCB', 11: 'ScaleDropoutCB',
}

# the widget of a page; a `Panel` is made on the page itself
WIDGETS = {
    1: 'Between', 3: 'Sentence', 4: 'WordMap', 5: 'Explorer', 7: 'Bench', 8: 'Player', 9: 'Slides', 10: 'Panel',
    11: 'Panel', 12: 'Panel', 13: 'Sentence', 14: 'Dashboard',
}

# module, or module and name, and the page that introduces it; the longest that fits counts, others belong to nobody
INTRODUCES = {
    'viz.widgets.Between': 1,
    'metrics.collapse': 2, 'training.path_callbacks.ReadBackCB': 2,
    'models.story_language': 3, 'encoders': 3, 'viz.widgets.Sentence': 3, 'decoders.base': 3, 'decoders.nearest': 3,
    'semantics': 4, 'viz.widgets.WordMap': 4, 'viz.word_map': 4,
    'codebooks': 5, 'quantizers': 5, 'training.codebook_callback': 5, 'viz.widgets.Explorer': 5,
    'encoders.consistency': 6, 'training.path_callbacks.SimilarityCB': 6,
    'decoders': 7, 'encoders.corruptions': 7, 'training.path_callbacks.NoiseCB': 7, 'viz.widgets.Bench': 7,
    'diffusion': 8, 'samplers': 8, 'networks': 8, 'training.process_callback': 8, 'viz.player': 8,
    'diffusion.gaussian': 9, 'samplers.ancestral': 9, 'samplers.ode': 9, 'models.grid_denoiser': 9,
    'models.grid_space': 9,
    'diffusion.guidance': 10, 'training.path_callbacks.DropConditionCB': 10,
    'encoders.pyramid': 11, 'decoders.pyramid': 11, 'diffusion.next_scale': 11,
    'training.path_callbacks.ScaleDropoutCB': 11,
    'encoders.spelling': 12, 'encoders.characters': 12, 'decoders.spelling': 12, 'semantics.char_ngrams': 12,
    'models.visual_token_lm': 13, 'models.build': 13, 'training.language_model': 13,
    'training.precision': 14, 'training.dashboard': 14, 'training.resume': 14, 'training.callbacks.EMACB': 14,
}

# Parts that a page uses by name only, with a link to the page that explains them.
BORROWED = {3: ('codebooks.', 'semantics.cooccurrence'), 5: ('networks.heads',)}

COLAB_CELL = f"""#| hide
import os, sys
if 'google.colab' in sys.modules and 'nbs' not in os.getcwd():     # in Colab: install the library
    repo = 'https://github.com/{_OWNER}/{_NAME}'
    os.system(f'git clone -q --depth 1 {{repo}} && pip install -q ./{_NAME}')
    os.chdir('{_NAME}/nbs/course')"""


def colab_link(number):
    "Where a path page opens in Colab. Raises `ValueError`"
    folder = f'https://colab.research.google.com/github/{_OWNER}/{_NAME}/blob/main/nbs/course'
    return f'{folder}/{_page(number)[0]}.ipynb'


def _page(number):
    if number not in PATH:
        raise ValueError(f'the path has pages 1 to {len(PATH)}, got {number}')
    return PATH[number]


def neighbors_of(number):
    "`(file, title)` of the page before and of the page after; `(None, None)` where there is none"
    _page(number)
    return PATH.get(number - 1, (None, None)), PATH.get(number + 1, (None, None))


def owner_of(name, exports=None):
    "The page that introduces an imported `module.name`, 0 for what belongs to no page"
    known = INTRODUCES | (exports or {})
    fitting = [part for part in known if name == part or name.startswith(f'{part}.')]
    return known[max(fitting, key=len)] if fitting else 0
