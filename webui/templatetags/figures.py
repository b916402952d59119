"""Durations and shares in templates."""

from django import template

from webui import figures

register = template.Library()
register.filter("duration", figures.duration)
register.filter("share", figures.share)
