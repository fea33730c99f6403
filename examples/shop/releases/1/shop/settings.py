"""Settings of the shop. Whatever differs between servers comes from the environment or from .env (see env.example)."""

from pathlib import Path

from shop.environment import read_environment

BASE_DIR = Path(__file__).resolve().parent.parent

environment = read_environment(Path(BASE_DIR, ".env"))

# Read from the code's own directory, so that an answer proves which code gave it.
RELEASE = Path(BASE_DIR, "RELEASE").read_text(encoding="utf-8").strip()

SECRET_KEY = environment["SHOP_SECRET_KEY"]
ALLOWED_HOSTS = environment.get("SHOP_ALLOWED_HOSTS", "localhost,127.0.0.1").split(",")
MAINTENANCE_FILE = Path(environment.get("SHOP_MAINTENANCE_FILE") or Path(BASE_DIR, "maintenance.flag"))
DEBUG = False

INSTALLED_APPS = ["django.contrib.humanize", "django.contrib.staticfiles", "catalog"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "catalog.middleware.MaintenanceMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["catalog.context.release"]},
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": environment.get("SHOP_DATABASE", "shop"),
        "USER": environment.get("SHOP_DATABASE_USER", "shop"),
        "PASSWORD": environment.get("SHOP_DATABASE_PASSWORD", ""),
        "HOST": environment.get("SHOP_DATABASE_HOST", ""),
        "PORT": environment.get("SHOP_DATABASE_PORT", ""),
        "OPTIONS": {"charset": "utf8mb4", "init_command": "SET sql_mode = 'STRICT_TRANS_TABLES'"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = Path(BASE_DIR, "static")

# To standard error, from where the service's manager collects it.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["console"], "level": "INFO"}},
}
