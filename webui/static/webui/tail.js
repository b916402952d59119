// The log's live tail: what is new waits with the log service, and is shown by itself only to whoever looks at the top.
(() => {
  "use strict";
  const ROWS_AT_MOST = 1000;
  let paused = false;
  const list = () => document.getElementById("log-lines");
  const reads = () => scrollY > 80 || list().querySelector("details[open]") || !getSelection().isCollapsed;

  document.addEventListener("htmx:afterSettle", () => {
    if (!list()) return;
    const rows = [...list().children];
    if (rows.length > ROWS_AT_MOST) rows.slice(ROWS_AT_MOST).forEach((row) => row.remove());
    const button = document.getElementById("tail-new");
    if (button && !paused && !reads()) button.click();
  });
  document.addEventListener("click", async ({ target }) => {
    const pause = target.closest("[data-pause]");
    if (pause) {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
    }
    const button = target.closest("[data-copy], [data-copy-link]");
    if (!button) return;
    const { copy, copyLink } = button.dataset;
    await navigator.clipboard?.writeText(copyLink ? new URL(copyLink, location).href : document.getElementById(copy).textContent);
    button.classList.add("copied");
  });
})();
