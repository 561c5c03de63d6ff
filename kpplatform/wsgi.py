"""The web process. It refuses to start when tenants are not kept apart."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kpplatform.settings")

application = get_wsgi_application()

from kpplatform.tenancy.checks import must_be_isolated  # noqa: E402  models can be imported only now

must_be_isolated()
