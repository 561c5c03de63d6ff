"""The web process. It refuses to start when tenants are not kept apart."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kpplatform.settings")
# One thread of arithmetic per request. OpenBLAS with several puts half a megabyte on the stack of whoever calls it,
# which is more than a web server's thread has left: the process dies of a segmentation fault.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

application = get_wsgi_application()

from kpplatform.tenancy.checks import must_be_isolated  # noqa: E402  models can be imported only now

must_be_isolated()
