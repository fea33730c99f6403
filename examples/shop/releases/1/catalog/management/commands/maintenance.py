from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Close the shop to visitors, or open it again."
    # Must work whatever state the database is in.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("state", choices=["on", "off"])

    def handle(self, state, **options):
        if state == "on":
            settings.MAINTENANCE_FILE.touch()
        elif settings.MAINTENANCE_FILE.exists():
            settings.MAINTENANCE_FILE.unlink()
        self.stdout.write(f"Maintenance is {state}.")
