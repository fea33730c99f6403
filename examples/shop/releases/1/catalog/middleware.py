from django.conf import settings
from django.shortcuts import render

RETRY_AFTER_SECONDS = 30


class MaintenanceMiddleware:
    """Answer every page with 503 while the maintenance file exists.

    The health view stays reachable: a deployment must know that the application works before visitors come back.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/health" or not settings.MAINTENANCE_FILE.exists():
            return self.get_response(request)
        response = render(request, "catalog/maintenance.html", status=503)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
