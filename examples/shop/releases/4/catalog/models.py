from django.db import models
from django.utils import timezone


class Product(models.Model):
    name = models.CharField(max_length=120)
    symbol = models.CharField(max_length=8)
    origin = models.CharField(max_length=60)
    description = models.TextField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    on_hand = models.IntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return f"{self.symbol} {self.name}"


class Customer(models.Model):
    name = models.CharField(max_length=120)
    email = models.EmailField(unique=True)
    city = models.CharField(max_length=60)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class LoyaltyCard(models.Model):
    """A point for each whole euro that the customer ever spent."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="card")
    points = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-points", "customer_id"]

    def __str__(self):
        return f"{self.customer}: {self.points} points"


class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    placed_at = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-placed_at", "-id"]

    def __str__(self):
        return f"Order {self.pk}"


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="lines")
    quantity = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=8, decimal_places=2)

    def __str__(self):
        return f"{self.quantity} of {self.product}"


class StockMovement(models.Model):
    """What the database's trigger writes for each order line; see migration 0002."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="movements")
    line = models.OneToOneField(OrderLine, on_delete=models.CASCADE, related_name="movement")
    quantity = models.IntegerField()

    def __str__(self):
        return f"{self.quantity:+} {self.product}"


class SalesReport(models.Model):
    """One row for each product that was ever sold; a view of the database, see migration 0002."""

    product = models.OneToOneField(
        Product, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="sales"
    )
    sold = models.IntegerField()
    revenue = models.DecimalField(max_digits=12, decimal_places=2)
    in_stock = models.IntegerField()

    class Meta:
        managed = False
        db_table = "catalog_salesreport"

    def __str__(self):
        return f"{self.product}: {self.sold} sold"
