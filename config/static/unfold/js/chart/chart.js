// In place of the theme's library for charts, 200 KB on each page of an admin: our charts are SVG (registry/admin/charts.py).
