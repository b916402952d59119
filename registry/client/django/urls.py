"""URLs to include below `rollcall/`, where the registration's webhooks go."""

from django.urls import path

from . import views

app_name = "rollcall"
urlpatterns = [path("notify", views.notify, name="notify")]
