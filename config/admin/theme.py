"""The settings of the theme that the services' admins share: the product's mark, colours and words."""

from typing import Any

# The product's indigo (config/static/rollcall/tokens.css), from light to dark.
INDIGO = {
    "50": "#f1f3fd",
    "100": "#e8ebfb",
    "200": "#c9d0f6",
    "300": "#a5b1ff",
    "400": "#8795f2",
    "500": "#5b6ad9",
    "600": "#3f4fc4",
    "700": "#2e3a9e",
    "800": "#262d7a",
    "900": "#262d5c",
    "950": "#12162f",
}


def unfold(*, name: str, navigation: str, **members: Any) -> dict[str, Any]:
    """The setting UNFOLD of the admin of the service that people know by `name`."""
    return {
        "SITE_TITLE": f"Rollcall: {name}",
        "SITE_HEADER": "Rollcall",
        "SITE_SUBHEADER": name,
        "SITE_ICON": "config.admin.look.mark",
        "SITE_FAVICONS": [{"rel": "icon", "href": "config.admin.look.mark", "type": "image/svg+xml"}],
        # The services have no pages but these; the sidebar leads to the web UI.
        "SITE_URL": None,
        "STYLES": ["config.admin.look.tokens_css", "config.admin.look.admin_css"],
        "COLORS": {"primary": INDIGO},
        "SIDEBAR": {"navigation": navigation},
        **members,
    }
