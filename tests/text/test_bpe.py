"BPE: CLIP's own ids on plain words, and no unit is too long."

import time

from visual_token_diffusion.text.vocab import make_vocab


def test_long_units_are_fast():
    v, s = make_vocab('clip'), 'é' * 20000 + 'x' * 20000
    began = time.process_time()
    assert v.decode(v.encode(s)) == s
    assert time.process_time() - began < 5


def test_bpe_is_clips_own_on_plain_words():
    from open_clip.tokenizer import SimpleTokenizer

    v, ref = make_vocab('clip'), SimpleTokenizer()
    assert len(v) == ref.vocab_size and v.tokens[:49406] == [ref.decoder[i] for i in range(49406)]
    for s in ("a photo of a cat", "two unusually large quokkas", "it's 7 o ' clock"):
        assert v.encode(s)[:3] == ref.encode(s)[:3]
