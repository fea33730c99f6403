import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


def primary_key():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", primary_key()),
                ("name", models.CharField(max_length=120)),
                ("symbol", models.CharField(max_length=8)),
                ("origin", models.CharField(max_length=60)),
                ("description", models.TextField()),
                ("price", models.DecimalField(decimal_places=2, max_digits=8)),
                ("stock", models.IntegerField(default=0)),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", primary_key()),
                ("name", models.CharField(max_length=120)),
                ("email", models.EmailField(max_length=254)),
                ("city", models.CharField(max_length=60)),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", primary_key()),
                ("placed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="catalog.customer"
                    ),
                ),
            ],
            options={"ordering": ["-placed_at", "-id"]},
        ),
        migrations.CreateModel(
            name="OrderLine",
            fields=[
                ("id", primary_key()),
                ("quantity", models.PositiveIntegerField()),
                ("price", models.DecimalField(decimal_places=2, max_digits=8)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="catalog.order"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="catalog.product"
                    ),
                ),
            ],
        ),
    ]
