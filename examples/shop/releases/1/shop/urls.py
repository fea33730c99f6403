from django.urls import path

from catalog import views

urlpatterns = [
    path("", views.home, name="home"),
    path("products/", views.products, name="products"),
    path("products/<int:number>/", views.product, name="product"),
    path("health", views.health, name="health"),
]
