"""Leave the bookkeeping of the stock to the database, which no program that sells something can forget."""

import django.db.models.deletion
from django.db import migrations, models

# Each statement stands in a list of its own: the semicolons inside a trigger must not be taken for its end.
CREATE_TRIGGER = [
    """
    CREATE TRIGGER catalog_take_from_stock AFTER INSERT ON catalog_orderline FOR EACH ROW
    BEGIN
        UPDATE catalog_product SET stock = stock - NEW.quantity WHERE id = NEW.product_id;
        INSERT INTO catalog_stockmovement (product_id, line_id, quantity)
        VALUES (NEW.product_id, NEW.id, -CAST(NEW.quantity AS SIGNED));
    END
    """
]
DROP_TRIGGER = ["DROP TRIGGER catalog_take_from_stock"]

CREATE_VIEW = [
    """
    CREATE VIEW catalog_salesreport AS
    SELECT product.id AS product_id,
           SUM(line.quantity) AS sold,
           SUM(line.quantity * line.price) AS revenue,
           product.stock AS in_stock
    FROM catalog_product AS product
    JOIN catalog_orderline AS line ON line.product_id = product.id
    GROUP BY product.id, product.stock
    """
]
DROP_VIEW = ["DROP VIEW catalog_salesreport"]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="StockMovement",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("quantity", models.IntegerField()),
                (
                    "line",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="movement", to="catalog.orderline"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="movements", to="catalog.product"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SalesReport",
            fields=[
                (
                    "product",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="sales",
                        serialize=False,
                        to="catalog.product",
                    ),
                ),
                ("sold", models.IntegerField()),
                ("revenue", models.DecimalField(decimal_places=2, max_digits=12)),
                ("in_stock", models.IntegerField()),
            ],
            options={"db_table": "catalog_salesreport", "managed": False},
        ),
        migrations.RunSQL(CREATE_TRIGGER, DROP_TRIGGER),
        migrations.RunSQL(CREATE_VIEW, DROP_VIEW),
    ]
