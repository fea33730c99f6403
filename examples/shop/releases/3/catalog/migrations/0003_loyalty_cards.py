from django.db import migrations, models
from django.db.models import F, Sum
from django.db.models.functions import Lower, Trim


def normalise_emails(apps, schema_editor):
    """People sign in by e-mail from now on; it must not matter how they typed it years ago."""
    Customer = apps.get_model("catalog", "Customer")
    Customer.objects.update(email=Lower(Trim("email")))


def merge_duplicates(apps, schema_editor):
    """Give the orders of somebody who signed up twice to the older account, and remove the younger one."""
    Customer = apps.get_model("catalog", "Customer")
    Order = apps.get_model("catalog", "Order")
    kept = {}
    for customer in Customer.objects.order_by("id"):
        first = kept.setdefault(customer.email, customer)
        if first is not customer:
            Order.objects.filter(customer=customer).update(customer=first)
            customer.delete()


def hand_out_cards(apps, schema_editor):
    """Everybody starts with the points of all orders so far."""
    Customer = apps.get_model("catalog", "Customer")
    LoyaltyCard = apps.get_model("catalog", "LoyaltyCard")
    spent = Customer.objects.annotate(spent=Sum(F("orders__lines__quantity") * F("orders__lines__price")))
    LoyaltyCard.objects.bulk_create(
        LoyaltyCard(customer=customer, points=int(customer.spent or 0)) for customer in spent.order_by("id")
    )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_stock_bookkeeping")]

    operations = [
        migrations.RunPython(normalise_emails, migrations.RunPython.noop),
        migrations.RunPython(merge_duplicates, migrations.RunPython.noop),
        migrations.CreateModel(
            name="LoyaltyCard",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("points", models.PositiveIntegerField(default=0)),
                (
                    "customer",
                    models.OneToOneField(on_delete=models.CASCADE, related_name="card", to="catalog.customer"),
                ),
            ],
            options={"ordering": ["-points", "customer_id"]},
        ),
        migrations.RunPython(hand_out_cards, migrations.RunPython.noop),
        migrations.AlterField("customer", "email", models.EmailField(max_length=254, unique=True)),
    ]
