import random
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from django.core.management.base import BaseCommand
from django.db import transaction

from catalog.models import Customer, Order, OrderLine, Product

ORIGINS = ["Assam", "Ceylon", "Darjeeling", "Fujian", "Java", "Kenya", "Malawi", "Nepal", "Shizuoka", "Yunnan"]
GRADES = ["First Flush", "Second Flush", "Golden Tips", "Silver Needle", "Old Bush", "Mountain Garden", "Autumnal"]
KINDS = {
    "Black Tea": "🫖",
    "Green Tea": "🍵",
    "Herbal Blend": "🌿",
    "Jasmine Tea": "🌼",
    "Oolong": "🍂",
    "White Tea": "☁️",
}
TASTES = ["malty", "floral", "honeyed", "smoky", "nutty", "bright", "mellow", "peppery", "creamy", "fresh as rain"]
FIRST_NAMES = [
    "Ada",
    "Björn",
    "Chloé",
    "Dilnoza",
    "Emre",
    "Fatou",
    "Grace",
    "Hiroshi",
    "Inês",
    "Jürgen",
    "Kwame",
    "Łucja",
]
LAST_NAMES = [
    "Ahmed",
    "Brontë",
    "Chen",
    "Díaz",
    "Eriksen",
    "Fournier",
    "Gruber",
    "Horváth",
    "Ito",
    "Jensen",
    "Kaya",
    "Lopes",
]
CITIES = ["Bergen", "Gdańsk", "Genova", "Göteborg", "Hamburg", "Le Havre", "Porto", "Rotterdam", "Trieste", "Valencia"]
NOTES = ["", "", "", "A gift 🎁 please", "Leave it with the neighbour", "Thank you ❤️", "No plastic, please 🌍"]
PLAIN_LETTERS = str.maketrans("öéêüŁëíá", "oeeuLeia")

CUSTOMERS = 600
ORDERS = 1200
# As in every real shop, some people forgot that they have an account and signed up again.
EVERY_NTH_SIGNED_UP_TWICE = 50


class Command(BaseCommand):
    help = "Fill an empty shop with the same few thousand rows every time."

    @transaction.atomic
    def handle(self, **options):
        if Product.objects.exists():
            self.stdout.write("The shop has products already; nothing was changed.")
            return
        dice = random.Random("a cup of tea")
        products = Product.objects.bulk_create(make_products(dice))
        customers = Customer.objects.bulk_create(make_customers(dice))
        orders = Order.objects.bulk_create(make_orders(dice, customers))
        lines = OrderLine.objects.bulk_create(make_lines(dice, orders, products), batch_size=1000)
        self.stdout.write(
            f"Made {len(products)} products, {len(customers)} customers, {len(orders)} orders of {len(lines)} lines."
        )


def make_products(dice):
    names = [(origin, grade, kind) for kind in KINDS for origin in ORIGINS for grade in GRADES]
    for number, (origin, grade, kind) in enumerate(names, start=1):
        first, second = dice.sample(TASTES, 2)
        tea = {
            "name": f"{origin} {grade} {kind}",
            "symbol": KINDS[kind],
            "origin": origin,
            "description": f"A {first} and {second} {kind.lower()}, best at {dice.randrange(70, 100, 5)} °C.",
        }
        yield Product(
            id=number, price=Decimal(dice.randrange(390, 4990, 10)) / 100, stock=dice.randrange(60, 200), **tea
        )


def make_customers(dice):
    people = []
    for number in range(1, CUSTOMERS + 1):
        if number % EVERY_NTH_SIGNED_UP_TWICE == 0:
            name, email, city = dice.choice(people)
            email = email.lower()
        else:
            first, last, city = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES), dice.choice(CITIES)
            name, email = f"{first} {last}", f"{first}.{last}.{number}@Example.org".translate(PLAIN_LETTERS)
            people.append((name, email, city))
        yield Customer(id=number, name=name, email=email, city=city)


def make_orders(dice, customers):
    moment = datetime(2026, 1, 2, 8, 0, tzinfo=timezone.utc)
    for number in range(1, ORDERS + 1):
        moment += timedelta(minutes=dice.randrange(5, 600))
        yield Order(id=number, customer=dice.choice(customers), placed_at=moment, note=dice.choice(NOTES))


def make_lines(dice, orders, products):
    number = 0
    for order in orders:
        for product in dice.sample(products, dice.randrange(1, 6)):
            number += 1
            yield OrderLine(id=number, order=order, product=product, quantity=dice.randrange(1, 7), price=product.price)
