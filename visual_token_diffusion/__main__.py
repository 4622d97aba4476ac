"`python -m visual_token_diffusion` is `vtd`."
import sys
from .cli import main

sys.exit(main())
