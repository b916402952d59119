// Runs before the page is drawn, so that it never flashes in the other colours.
(() => {
  "use strict";
  const KEY = "rollcall-theme";
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // Storage may be forbidden; then the system's preference holds.
    }
  };

  const current = () => chosen() || (system.matches ? "dark" : "light");

  const apply = () => {
    document.documentElement.dataset.bsTheme = current();
  };

  const toggle = () => {
    const next = current() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, next);
    } catch {
      return;
    }
    apply();
  };

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.hidden = false;
      button.addEventListener("click", toggle);
    }
  });
})();
