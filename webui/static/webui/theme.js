// Light, dark or as the system says; runs before the page is drawn, so that it never flashes in the other colours.
(() => {
  "use strict";
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "system";
  try {
    chosen = localStorage.getItem("rollcall-theme") || chosen;
  } catch { /* Storage may be forbidden; then the choice lasts as long as the page. */ }
  const apply = () => {
    document.documentElement.dataset.bsTheme = chosen === "system" ? (system.matches ? "dark" : "light") : chosen;
  };
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    const choices = document.querySelector("[data-themes]");
    if (!choices) return;
    choices.hidden = false;
    choices.querySelector(`[value="${chosen}"]`).checked = true;
    choices.addEventListener("change", (event) => {
      chosen = event.target.value;
      apply();
      try { localStorage.setItem("rollcall-theme", chosen); } catch { /* As above. */ }
    });
  });
})();
