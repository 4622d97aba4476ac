"`python -m visual_token_diffusion` is `vtd`."
import sys
from .cli.main import main

sys.exit(main())
