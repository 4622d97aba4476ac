"Tests run in the fast profile, one thread in each process, without network."

import os

os.environ.setdefault('VTD_PROFILE', 'ci')
os.environ.setdefault('HF_HUB_OFFLINE', '1')
os.environ.setdefault('MPLBACKEND', 'agg')
os.environ.setdefault('OMP_NUM_THREADS', '1')  # two processes of several threads each slow each other thirtyfold

import support.properties  # noqa: E402, F401  (no test by hypothesis has a time limit, whichever file is run)

# Files whose tests are independent of each other; all others share something that is made once.
SPREAD = ('test_pages.py', 'test_language_model.py', 'test_encoder.py', 'test_head.py')


def pytest_xdist_make_scheduler(config, log):
    "Tests of one file run in one process, in order; those of a few large files wherever there is room"
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            path = nodeid.split('::', 1)[0]
            return nodeid if path.endswith(SPREAD) else path

    return ByFile(config, log)
