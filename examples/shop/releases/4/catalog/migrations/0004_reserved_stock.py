"""Tell what is on hand from what is reserved: stock becomes on_hand, and the trigger and the view follow."""

from django.db import migrations, models

DROP_TRIGGER = ["DROP TRIGGER catalog_take_from_stock"]
CREATE_TRIGGER = [
    """
    CREATE TRIGGER catalog_take_from_stock AFTER INSERT ON catalog_orderline FOR EACH ROW
    BEGIN
        UPDATE catalog_product SET on_hand = on_hand - NEW.quantity WHERE id = NEW.product_id;
        INSERT INTO catalog_stockmovement (product_id, line_id, quantity)
        VALUES (NEW.product_id, NEW.id, -CAST(NEW.quantity AS SIGNED));
    END
    """
]
DROP_VIEW = ["DROP VIEW catalog_salesreport"]
CREATE_VIEW = [
    """
    CREATE VIEW catalog_salesreport AS
    SELECT product.id AS product_id,
           SUM(line.quantity) AS sold,
           SUM(line.quantity * line.price) AS revenue,
           product.on_hand AS in_stock
    FROM catalog_product AS product
    JOIN catalog_orderline AS line ON line.product_id = product.id
    GROUP BY product.id, product.on_hand
    """
]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_loyalty_cards")]

    operations = [
        migrations.RunSQL(DROP_VIEW),
        migrations.RunSQL(DROP_TRIGGER),
        migrations.RenameField("product", "stock", "on_hand"),
        migrations.AddField("product", "reserved", models.PositiveIntegerField(default=0)),
        migrations.RunSQL(CREATE_TRIGGER),
        migrations.RunSQL(CREATE_VIEW),
    ]
