"""The colours of letter grades: one for each letter, whatever sign follows it."""

from django import template

register = template.Library()


@register.filter
def letter_class(letter: str | None) -> str:
    return f"letter-{letter[0].lower()}" if letter else ""
