"""To be included below `rollcall/`, where the registration says that webhooks go."""

from django.urls import path

from . import views

app_name = "rollcall"
urlpatterns = [path("notify", views.notify, name="notify")]
