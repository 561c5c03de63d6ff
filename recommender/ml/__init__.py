"""Models that learn what to show: pure numbers, without Django, database or clock."""

import os

# Whoever learns shares the cores with whoever serves: a thread with nothing to do must sleep, not spin. It has to be
# said before torch is loaded; on a busy machine, spinning made a fit many times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
