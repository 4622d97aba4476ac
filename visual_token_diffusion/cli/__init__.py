"""Commands. Threads that wait for each other may not spin: beside another job on the same cores that costs a training
fifteen times its time and more, and sleeping doubles it; the OpenMP of torch reads this when it is loaded."""

import os

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
