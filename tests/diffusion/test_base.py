"What a process leaves open is said, not passed over."

import pytest
import torch

from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.diffusion.base import Process

X, T = torch.zeros(2, 3, dtype=torch.long), torch.full((2,), 0.5)
QUESTIONS = {
    'corrupt': (X, T),
    'loss': (),
    'prior': ((2, 3),),
    'posterior': (X, X, T / 2, T),
    'denoiser': (None,),
    'predictor': (None,),
}


@pytest.mark.parametrize('question', QUESTIONS)
def test_an_open_question_is_refused_in_one_line(question):
    class Silent(Process):
        pass

    with pytest.raises(CombinationError, match=f'Silent does not answer `{question}`') as e:
        getattr(Silent(), question)(*QUESTIONS[question])
    assert '\n' not in str(e.value)
