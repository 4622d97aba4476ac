"Tests run in the fast profile, on few threads, without network."

import os

os.environ.setdefault('VTD_PROFILE', 'ci')
os.environ.setdefault('HF_HUB_OFFLINE', '1')
os.environ.setdefault('MPLBACKEND', 'agg')
