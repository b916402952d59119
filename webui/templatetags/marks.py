"""Marks what a search was for in the text that it found."""

import re
from collections.abc import Sequence

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def marked(text: str, words: Sequence[str]) -> SafeString:
    if not words:
        return conditional_escape(text)
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)), re.IGNORECASE)
    pieces, end = [], 0
    for match in pattern.finditer(text):
        if match.end() > match.start():
            pieces.append(format_html("{}<mark>{}</mark>", text[end : match.start()], match[0]))
            end = match.end()
    return format_html_join("", "{}", ((piece,) for piece in [*pieces, conditional_escape(text[end:])]))
