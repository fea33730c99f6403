from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, render

from catalog.models import Customer, LoyaltyCard, Order, Product, SalesReport

PRODUCTS_A_PAGE = 24


def home(request):
    return render(
        request,
        "catalog/home.html",
        {
            "product_count": Product.objects.count(),
            "customer_count": Customer.objects.count(),
            "order_count": Order.objects.count(),
            "revenue": SalesReport.objects.aggregate(total=Sum("revenue"))["total"] or 0,
            "bestsellers": SalesReport.objects.select_related("product").order_by("-sold", "product_id")[:8],
            "regulars": LoyaltyCard.objects.select_related("customer")[:4],
            "latest_orders": Order.objects.select_related("customer").prefetch_related("lines__product")[:6],
        },
    )


def products(request):
    query = request.GET.get("q", "").strip()
    found = Product.objects.filter(name__icontains=query)
    page = Paginator(found, PRODUCTS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "catalog/products.html", {"page": page, "query": query})


def product(request, number):
    found = get_object_or_404(Product, pk=number)
    lines = found.lines.select_related("order__customer").order_by("-order__placed_at", "-id")[:8]
    return render(request, "catalog/product.html", {"product": found, "lines": lines})


def health(request):
    """Answer only after the tables that the shop lives on were really read."""
    return JsonResponse(
        {
            "status": "ok",
            "release": settings.RELEASE,
            "products": Product.objects.count(),
            "in_stock": Product.objects.filter(stock__gt=0).count(),
            "orders": Order.objects.count(),
        }
    )
