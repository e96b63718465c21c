"""Settings of the portal, one file in sections; every value from the environment passes a typed reader."""

from __future__ import annotations

import os
import re
import secrets
import socket
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from corsheaders.defaults import default_headers
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from pacs_portal.static_digest import static_digest

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def choice(name: str, default: str, legal: tuple[str, ...]) -> str:
    """Read a variable that must be one of a few words."""
    value = env.str(name, default)
    if value not in legal:
        raise ImproperlyConfigured(f"{name} is '{value}'; it must be one of: {', '.join(legal)}.")
    return value


def number(name: str, default: int, low: int, high: int) -> int:
    """Read a whole number within limits."""
    text = env.str(name, str(default))
    if not re.fullmatch(r"-?\d{1,9}", text) or not low <= int(text) <= high:
        raise ImproperlyConfigured(f"{name} is '{text}'; it must be a whole number from {low} to {high}.")
    return int(text)


def flag(name: str, default: bool) -> bool:
    """Read a yes or no."""
    text = env.str(name, "1" if default else "0").lower()
    if text not in {"0", "1", "true", "false", "yes", "no"}:
        raise ImproperlyConfigured(f"{name} is '{text}'; it must be 1 or 0.")
    return text in {"1", "true", "yes"}


def host_and_port(name: str, default: str) -> tuple[str, int]:
    """Read ``host:port``."""
    text = env.str(name, default)
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ImproperlyConfigured(f"{name} is '{text}'; it must be host:port, such as {default}.")
    return host.strip("[]"), int(port)


def networks(name: str, default: str = "") -> list[str]:
    """Read networks such as ``10.1.2.0/24``, separated by commas."""
    found = [text.strip() for text in env.str(name, default).split(",") if text.strip()]
    for text in found:
        try:
            ip_network(text)
        except ValueError:
            raise ImproperlyConfigured(f"{name} has '{text}'; it must be networks such as 10.1.2.0/24.") from None
    return found


def kept_secret(path: Path, length: int = 50) -> str:
    """Return the secret in a file of mode 600, made at the first start."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        hidden = path.with_name(f".{secrets.token_hex(8)}")
        hidden.touch(mode=0o600)
        hidden.write_text(secrets.token_urlsafe(length), encoding="ascii")
        with suppress(FileExistsError):
            path.hardlink_to(hidden)
        hidden.unlink()
    return path.read_text(encoding="ascii").strip()


def system_time_zone() -> str:
    """Name of the machine's own zone, UTC where it has none."""
    link = Path("/etc/localtime")
    name = str(link.resolve()).partition("/zoneinfo/")[2] if link.is_symlink() else ""
    return name if name in available_timezones() else "UTC"


# --- The site -------------------------------------------------------------------------------------------------------

PORTAL_DATA = Path(env.str("PORTAL_DATA", str(BASE_DIR / "var"))).resolve()
PORTAL_PROFILE = choice("PORTAL_PROFILE", "demo", ("demo", "production"))
IS_DEMO = PORTAL_PROFILE == "demo"
PORTAL_DEMO = flag("PORTAL_DEMO", True)
PORTAL_HTTP_HOST, PORTAL_HTTP_PORT = host_and_port("PORTAL_HTTP", "127.0.0.1:8000")
PORTAL_PUBLIC_URL = env.str("PORTAL_PUBLIC_URL", f"http://{PORTAL_HTTP_HOST}:{PORTAL_HTTP_PORT}").rstrip("/")
PORTAL_TRUSTED_PROXIES: list[str] = env.list("PORTAL_TRUSTED_PROXIES", default=[])
PORTAL_CORS_ORIGINS: list[str] = env.list("PORTAL_CORS_ORIGINS", default=[])
"""Web viewers of other origins that may use DICOMweb with a token."""
PORTAL_METRICS_NETWORKS = networks("PORTAL_METRICS_NETWORKS", "127.0.0.0/8,::1/128")
"""Who reads ``/metrics`` without a token."""
PORTAL_OIDC_ISSUER = env.str("PORTAL_OIDC_ISSUER", "")
"""The site's identity provider, whose access tokens open DICOMweb and the API; empty: none."""
PORTAL_OIDC_AUDIENCE = env.str("PORTAL_OIDC_AUDIENCE", "")
"""What its tokens for the portal name as audience."""
PORTAL_OIDC_KEYS = env.str("PORTAL_OIDC_KEYS", "")
"""Address or file of its keys (JWK set); empty: as its discovery document says."""
PORTAL_OIDC_USER_CLAIM = env.str("PORTAL_OIDC_USER_CLAIM", "preferred_username")
"""The claim that is the user name here."""
# Read by prometheus_client: where each process of this machine counts for the others to read.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(PORTAL_DATA / "run" / "metrics" / socket.gethostname())
PORTAL_SETTLE_S = number("PORTAL_SETTLE_S", 30, 1, 86_400)
"""Quiet seconds after which a study is announced as ready."""
PORTAL_PHONES_DIAGNOSE = flag("PORTAL_PHONES_DIAGNOSE", False)
"""Whether the viewer on a phone may pass for a diagnostic one; else every picture there says "not for diagnosis"."""

# --- The receiver ---------------------------------------------------------------------------------------------------

PORTAL_DICOM_HOST = env.str("PORTAL_DICOM_HOST", "127.0.0.1")
PORTAL_DICOM_PORT = number("PORTAL_DICOM_PORT", 11112, 1, 65535)
PORTAL_RECEIVERS = number("PORTAL_RECEIVERS", 2 if (os.cpu_count() or 1) >= 4 else 1, 1, 64)
"""Processes that receive DICOM on the one port: the worker, and the others beside it.

One is enough for a gigabit network; on two processors the senders' share of a test on one machine is the limit.
"""
PORTAL_DICOM_SHARED_PORT = flag("PORTAL_DICOM_SHARED_PORT", False)
"""Receivers of this site in other containers listen on the same port."""
PORTAL_AE_TITLE = env.str("PORTAL_AE_TITLE", "PORTAL")
PORTAL_DICOM_TLS_PORT = number("PORTAL_DICOM_TLS_PORT", 0, 0, 65535)
"""TLS is spoken here, beside the plain port; 2762 is registered for it; 0 offers none."""
PORTAL_DICOM_TLS_CERTIFICATE = env.str("PORTAL_DICOM_TLS_CERTIFICATE", "")
PORTAL_DICOM_TLS_KEY = env.str("PORTAL_DICOM_TLS_KEY", "")
PORTAL_DICOM_TLS_CA = env.str("PORTAL_DICOM_TLS_CA", "")
"""PEM files: our certificate with its chain, its key without a password, and the authorities that we trust."""
PORTAL_DICOM_TLS_CLIENTS = choice("PORTAL_DICOM_TLS_CLIENTS", "none", ("none", "optional", "required"))
"""Whether peers that call our TLS port show a certificate."""
PORTAL_CHECK_CALLED_AE_TITLE = flag("PORTAL_CHECK_CALLED_AE_TITLE", not IS_DEMO)
"""Refuse associations that call another AE title than ours."""
PORTAL_ACCEPT_PRIVATE_SOP_CLASSES = flag("PORTAL_ACCEPT_PRIVATE_SOP_CLASSES", False)
"""Take objects of private SOP classes from every peer; a peer's own row can allow it for that peer alone."""
PORTAL_BACKLOG_FILES = number("PORTAL_BACKLOG_FILES", 200_000, 1, 100_000_000)
"""Images that may wait to be indexed before a store is answered A700."""
PORTAL_QUERY_RESULTS = number("PORTAL_QUERY_RESULTS", 10_000, 1, 10_000_000)
"""Matches of one C-FIND; a query that has more ends with A700 after so many."""
PORTAL_MOVE_ASSOCIATIONS = number("PORTAL_MOVE_ASSOCIATIONS", 4, 1, 16)
"""Associations that one C-MOVE opens to its destination at most."""
PORTAL_RESERVED_MB = number("PORTAL_RESERVED_MB", 256, 0, 1_000_000)
"""Disk space that stores leave free for the database, signing in and reading."""
PORTAL_MAX_OBJECT_MB = number("PORTAL_MAX_OBJECT_MB", 16_384, 1, 1_000_000)
PORTAL_CACHE_MB = number("PORTAL_CACHE_MB", 8192, 64, 100_000_000)
"""Disk space for the levels of large images; what was not used for longest goes first."""
PORTAL_MAX_UPLOAD_MB = number("PORTAL_MAX_UPLOAD_MB", 16_384, 1, 1_000_000)
PORTAL_RECOMPRESS = choice("PORTAL_RECOMPRESS", "off", ("off", "htj2k", "jpeg-ls"))
"""Lossless recompression of settled studies."""

PORTAL_FFMPEG = env.str("PORTAL_FFMPEG", "")
"""The site's own ffmpeg, by its name or path: series can then be saved as MP4. Empty: they cannot."""

PORTAL_MLLP_PORT = number("PORTAL_MLLP_PORT", 0, 0, 65535)
"""Orders are taken here as HL7 v2 over MLLP, in the worker that receives DICOM; 0 takes none."""
PORTAL_MLLP_HOST = env.str("PORTAL_MLLP_HOST", PORTAL_DICOM_HOST)
PORTAL_MLLP_PEERS: list[str] = env.list("PORTAL_MLLP_PEERS", default=[])
"""Addresses that may send orders; empty lets everybody who reaches the port, which production refuses."""

# --- Django ---------------------------------------------------------------------------------------------------------

DEBUG = flag("PORTAL_DEBUG", False)
SECRET_KEY = env.str("PORTAL_SECRET_KEY", "") or kept_secret(PORTAL_DATA / "keys" / "secret_key")
_public = urlsplit(PORTAL_PUBLIC_URL)
ALLOWED_HOSTS = sorted({_public.hostname or "localhost", PORTAL_HTTP_HOST, "localhost", "127.0.0.1"})
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
ROOT_URLCONF = "pacs_portal.urls"
WSGI_APPLICATION = "pacs_portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "archive.User"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_filters",
    "csp",
    "axes",
    "corsheaders",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "drf_spectacular",
    "archive",
    "viewer",
]

MIDDLEWARE = [
    "pacs_portal.metrics.CountingMiddleware",
    "pacs_portal.middleware.ForwardedHeadersMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "viewer.tiles.fast_lane.TileMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "pacs_portal.bearer.BearerMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "viewer.pages.account.ClearCacheOnSignOutMiddleware",
    "pacs_portal.middleware.SignedInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "viewer.pages.context.site",
            ],
        },
    }
]

# --- Database, cache, broker ----------------------------------------------------------------------------------------

DATABASES: dict[str, Any] = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{PORTAL_DATA}/db.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        " PRAGMA cache_size=-32000; PRAGMA temp_store=MEMORY;",
    }
    DATABASES["default"]["TEST"] = {"NAME": env.str("PORTAL_TEST_SQLITE", "") or None}
    DATABASES["default"]["CONN_MAX_AGE"] = None
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

REDIS_URL = env.str("REDIS_URL", "")
CACHES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(PORTAL_DATA / "cache" / "small"),
    }
}

CELERY_BROKER_URL = REDIS_URL or "portal-files://"
BROKER_FOLDER = PORTAL_DATA / "broker"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"socket_timeout": 2, "socket_connect_timeout": 2, "visibility_timeout": 3600}
    if REDIS_URL
    else {
        "data_folder_in": str(BROKER_FOLDER / "queue"),
        "data_folder_out": str(BROKER_FOLDER / "queue"),
        "processed_folder": str(BROKER_FOLDER / "processed"),
        "control_folder": str(BROKER_FOLDER / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "index what has come in": {"task": "archive.tasks.index_incoming", "schedule": 5.0, "options": {"expires": 5}},
    "announce studies that went quiet": {"task": "archive.tasks.settle", "schedule": 5.0, "options": {"expires": 5}},
    "run jobs": {"task": "archive.tasks.run_jobs", "schedule": 10.0, "options": {"expires": 10}},
    "compare files with rows": {"task": "archive.tasks.sweep", "schedule": 300.0, "options": {"expires": 300}},
    "trim the cache": {"task": "viewer.tasks.trim_cache", "schedule": 600.0, "options": {"expires": 600}},
    "raise overdue studies": {"task": "viewer.tasks.raise_overdue", "schedule": 60.0, "options": {"expires": 60}},
    "send notifications": {"task": "viewer.tasks.send_notifications", "schedule": 15.0, "options": {"expires": 15}},
    "chase critical results": {
        "task": "viewer.tasks.chase_critical_results",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "heartbeat": {"task": "archive.tasks.heartbeat", "schedule": 10.0, "options": {"expires": 10}},
    "seal the audit trail": {"task": "archive.tasks.seal_audit", "schedule": 60.0, "options": {"expires": 60}},
}

# --- Signing in -----------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "pacs_portal.accounts.PortalAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": None, "login": None}
ACCOUNT_SESSION_REMEMBER = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
AXES_HANDLER = "pacs_portal.lockout.AddressLimitHandler"
AXES_FAILURE_LIMIT = 5
ADDRESS_FAILURE_LIMIT = 100
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_TEMPLATE = "account/locked_out.html"
AXES_CLIENT_IP_CALLABLE = "pacs_portal.middleware.client_address"
AXES_VERBOSE = False

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
PORTAL_IDLE_S = number("PORTAL_IDLE_S", 3600, 60, 86_400)
"""A session ends after this many seconds without use."""
CSRF_COOKIE_HTTPONLY = False
CSRF_COOKIE_SAMESITE = "Lax"

# --- Security -------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "connect-src": [SELF],
        "worker-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# Tokens travel in a header that a script sets: cookies of other origins are never taken.
CORS_ALLOWED_ORIGINS = PORTAL_CORS_ORIGINS
CORS_ALLOW_CREDENTIALS = False
CORS_URLS_REGEX = r"^/(dicom-web/|wado)"
CORS_ALLOW_HEADERS = (*default_headers, "if-none-match", "if-range", "range", "rejection-code", "rejection-reason")
CORS_EXPOSE_HEADERS = ["Accept-Ranges", "Allow", "Content-Location", "Content-Range", "ETag", "Warning"]
X_FRAME_OPTIONS = "DENY"
if _public.scheme == "https":
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 365 * 86_400
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- The description of /api/ and /dicom-web/ ----------------------------------------------------------------------

# There is one version, and whoever is asked for it has signed in before.
REST_FRAMEWORK = {"UNAUTHENTICATED_USER": None, "ALLOWED_VERSIONS": ["1"]}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Portal",
    "DESCRIPTION": "DICOMweb (PS3.18) and the addresses of the portal's own pages.",
    "VERSION": "1",
    "DEFAULT_GENERATOR_CLASS": "viewer.api.openapi.PortalGenerator",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": PORTAL_PUBLIC_URL}],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        }
    },
}

# --- Static files, uploads ------------------------------------------------------------------------------------------

STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_DIGEST = static_digest(STATICFILES_DIRS)
STATIC_URL = f"/static/{STATIC_DIGEST}/"
STATIC_ROOT = PORTAL_DATA / "cache" / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/[0-9a-f]{16}/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2**20

# --- Language, time, mail, logs -------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("PORTAL_TIME_ZONE", "") or system_time_zone()
FORMAT_MODULE_PATH = ["pacs_portal.formats"]
vars().update(env.email_url("PORTAL_EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("PORTAL_EMAIL_FROM", f"portal@{_public.hostname}")
PORTAL_WEBHOOK_NETWORKS = networks("PORTAL_WEBHOOK_NETWORKS")
"""Networks of the site's own that webhooks may reach, without TLS too; every other private address is refused."""
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"structured": {"()": "pacs_portal.logs.StructuredFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["stderr"], "level": env.str("PORTAL_LOG_LEVEL", "INFO")},
    "loggers": {
        "axes": {"level": "WARNING"},
        "pynetdicom": {"level": "WARNING"},
        "pydicom": {"level": "ERROR"},
        "py.warnings": {"level": "ERROR"},
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
    },
}
