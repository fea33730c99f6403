from django.conf import settings


def release(request):
    """Tell every template which release of the code renders it."""
    return {"release": settings.RELEASE}
