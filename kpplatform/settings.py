"""Every setting of the platform, from the environment, once. docs/settings.md explains each."""

import fcntl
import secrets
from pathlib import Path
from typing import Any

import environ

from kpplatform import embedded
from kpplatform.rest.enums import ENUM_NAMES
from kpplatform.tenancy import roles

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# ── Where things lie ────────────────────────────────────────────────────────────────────────────────
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data")))
STORAGE_DIR = Path(env.str("STORAGE_DIR", default=str(DATA_DIR / "storage")))


def kept_secret(path: Path) -> str:
    """Return this installation's own secret key, made on its first start."""
    if path.exists() and (known := path.read_text()):
        return known
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # processes that start at the same moment must have the same key
        if not (key := file.read()):
            key = secrets.token_urlsafe(50)
            file.write(key)
    return key


# ── Security ────────────────────────────────────────────────────────────────────────────────────────
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or kept_secret(DATA_DIR / "secret_key")
# Which hosts are served is decided by the Domain table (TenantMiddleware); the list would only repeat it.
ALLOWED_HOSTS = ["*"]
INSTALLATION_HOSTS = env.list("INSTALLATION_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
SECURE = env.bool("SECURE", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
# Throttles and counted guesses go by the address that our own proxy saw; what stands before it anybody can write.
PROXIES = ALLAUTH_TRUSTED_PROXY_COUNT = 1 if SECURE else 0
# The header in which our own proxy tells the country, e.g. CF-IPCountry; it must not let a client's own through. Where
# there is no proxy it could be nobody else's.
COUNTRY_HEADER = env.str("COUNTRY_HEADER", default="") if PROXIES else ""
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
X_FRAME_OPTIONS = "DENY"

# ── Database, cache, jobs ───────────────────────────────────────────────────────────────────────────
servers = embedded.running(DATA_DIR)
DATABASE_URL = env.str("DATABASE_URL", default=servers.database_url if servers else "postgres://127.0.0.1:1/kpplatform")
REDIS_URL = env.str("REDIS_URL", default=servers.redis_url if servers else "redis://127.0.0.1:1/0")

_owner: dict[str, Any] = env.db_url_config(DATABASE_URL)
# What the names of the app's and the operator's role begin with.
ROLES = env.str("ROLES", default=str(_owner["NAME"]))
DATABASES = roles.databases(
    owner=_owner, roles=ROLES, secret=SECRET_KEY, test_name=env.str("TEST_DATABASE", default="test_kp")
)
for alias, setting in ((roles.APP, "APP_DATABASE_URL"), (roles.OPERATOR, "OPERATOR_DATABASE_URL")):
    if url := env.str(setting, default=""):
        DATABASES[alias] |= env.db_url_config(url)
# The requests' busiest statements are planned once for a connection; 0 behind a pooler that cannot keep plans.
plans: dict[str, Any] = {"prepare_threshold": env.int("PREPARE_AFTER", default=5) or None}
DATABASES[roles.APP]["OPTIONS"] = DATABASES[roles.APP].get("OPTIONS", {}) | plans
DATABASE_ROUTERS = ["kpplatform.tenancy.router.Roles"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "kp",
        "KEY_FUNCTION": "kpplatform.tenancy.places.cache_key",
    }
}
# Not cached: who asks while somebody signs out would put the session back into the cache before the commit.
SESSION_ENGINE = "django.contrib.sessions.backends.db"

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A killed worker's wake-ups come back after five minutes instead of an hour; the job row is the truth anyway.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 300, "unacked_restore_interval": 5}
JOB_LEASE_S = env.float("JOB_LEASE_S", default=60.0)
SWEEP_EVERY_S = env.float("SWEEP_EVERY_S", default=10.0)
RETRAIN_EVERY_S = env.float("RETRAIN_EVERY_S", default=86_400.0)
# What one training of a tenant may take: models that learn for long are told how long, others are left out or made
# smaller. 0 MB: most of what is free when it begins.
TRAINING_MINUTES = env.float("TRAINING_MINUTES", default=30.0)
# In how many processes a long model is fitted, each with a graphics card of its own. 0: one per card, else one.
TRAINING_PROCESSES = env.int("TRAINING_PROCESSES", default=0)
TRAINING_MEMORY_MB = env.float("TRAINING_MEMORY_MB", default=0.0)
PORTRAITS_EVERY_S = env.float("PORTRAITS_EVERY_S", default=86_400.0)
# What is done for every tenant again and again: name → (seconds between, queue).
RECURRING_JOBS = {
    "recommender.tasks.retrain": (RETRAIN_EVERY_S, "training"),
    "recommender.tasks.refresh_portraits": (PORTRAITS_EVERY_S, "training"),
    **dict.fromkeys(("recommender.tasks.find_duplicates", "recommender.tasks.classify_topics"), (86_400.0, "training")),
    "recommender.tasks.tag_comments": (86_400.0, "training"),
    **dict.fromkeys(("recommender.tasks.judge_experiments", "recommender.tasks.send_campaigns"), (3_600.0, "default")),
    "recommender.tasks.check_portraits": (PORTRAITS_EVERY_S, "default"),
    **dict.fromkeys(("creators.tasks.recount_all_followers", "catalog.tasks.recount_all"), (86_400.0, "default")),
    **dict.fromkeys(("billing.tasks.mature", "billing.tasks.lapse_orders"), (3_600.0, "default")),
    **{f"billing.tasks.{name}": (86_400.0, "default") for name in ("reconcile", "settle", "verify_ledger")},
    "billing.tasks.renew_subscriptions": (600.0, "default"),
    "billing.ads.tasks.run_ads": (300.0, "default"),
    "billing.ads.tasks.learn_clicks": (3_600.0, "default"),
    "kpplatform.metrics.tasks.count_days": (3_600.0, "default"),
    "kpplatform.metrics.tasks.report_weeks": (21_600.0, "default"),
    "kpplatform.console.tasks.purge": (86_400.0, "default"),
}

# ── Apps ────────────────────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "kpplatform.tenancy",
    "kpplatform.jobs",
    "kpplatform.rest",
    "creators",
    "catalog",
    "billing",
    "billing.ads",
    "recommender",
    "kpplatform.metrics",
    "kpplatform.console",
    "kpplatform.demo",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "kpplatform.console.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.headless",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
]
MIDDLEWARE = [
    "kpplatform.tenancy.middleware.TenantMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "kpplatform.urls"
WSGI_APPLICATION = "kpplatform.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_USE_FINDERS = True

# ── People ──────────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "tenancy.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
ACCOUNT_ADAPTER = "kpplatform.tenancy.adapter.PeopleAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", default="optional")
HEADLESS_ONLY = True
HEADLESS_FRONTEND_URLS = {
    "account_confirm_email": "/account/verify-email/{key}",
    "account_reset_password_from_key": "/account/reset-password/{key}",
    "account_signup": "/account/sign-up",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="kpplatform <no-reply@localhost>")

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "kpplatform" / "locale"]

# Requests a minute.
THROTTLE_MEMBER = env.int("THROTTLE_MEMBER", default=600)
THROTTLE_TENANT = env.int("THROTTLE_TENANT", default=60_000)

# ── API ─────────────────────────────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "kpplatform.rest.authentication.TokenAuthentication",
        "allauth.headless.contrib.rest_framework.authentication.XSessionTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["kpplatform.rest.permissions.IsMember"],
    "DEFAULT_PARSER_CLASSES": ["kpplatform.rest.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["kpplatform.rest.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "kpplatform.rest.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "kpplatform.rest.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": ["kpplatform.rest.throttles.Throttle"],
    "NUM_PROXIES": PROXIES,
    "EXCEPTION_HANDLER": "kpplatform.rest.problems.problem",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "kpplatform",
    "DESCRIPTION": "Tenants, creators, courses, a feed that learns, and a ledger that balances.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "kpplatform.rest.schema.without_titles",
    ],
    "ENUM_NAME_OVERRIDES": ENUM_NAMES,
}

UNFOLD = {"SITE_TITLE": "kpplatform", "SITE_URL": None, "SITE_SYMBOL": "school", "SHOW_LANGUAGES": True}
UNFOLD |= {"BORDER_RADIUS": "8px"}

# ── Payments ────────────────────────────────────────────────────────────────────────────────────────
SANDBOX_URL = env.str("SANDBOX_URL", default="http://127.0.0.1:8090")
SANDBOX_KEY = (
    env.str("SANDBOX_KEY", default="") or f"sk_sandbox_{roles.derived_password(secret=SECRET_KEY, role='sandbox')[:24]}"
)
# Whoever is paid at the sandbox is paid nothing: without this, a tenant without a provider sells nothing.
SANDBOX_CHECKOUT = env.bool("SANDBOX_CHECKOUT", default=DEBUG)
# Tenants' credentials: the first key seals, the others still open. Leave those out after manage.py reseal_credentials.
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS", default=[]) or [kept_secret(DATA_DIR / "credential_key")]
STRIPE_URL = env.str("STRIPE_URL", default="https://api.stripe.com")
WECHATPAY_URL = env.str("WECHATPAY_URL", default="https://api.mch.weixin.qq.com")
ALIPAY_URL = env.str("ALIPAY_URL", default="https://openapi.alipay.com/gateway.do")
PUBLIC_PORT = env.int("PUBLIC_PORT", default=8000)

# ── Logs ────────────────────────────────────────────────────────────────────────────────────────────
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"tenant": {"()": "kpplatform.tenancy.logs.TenantFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s tenant=%(tenant)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["tenant"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
