// What every page has: the reader's time zone, ages that count on, shortcuts, and a word when a page cannot refresh.
document.cookie = `webui_zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/; max-age=31536000; samesite=lax`;

const UNITS = [[172800, 86400, "d"], [3600, 3600, "h"], [60, 60, "min"], [0, 1, "s"]];
const count = (root) => root.querySelectorAll("time[data-age]").forEach((element) => {
  const seconds = Math.max(0, (Date.now() - new Date(element.dateTime)) / 1000);
  const [, size, unit] = UNITS.find(([least]) => seconds >= least);
  const text = `${Math.floor(seconds / size)} ${unit}`;
  // Only what changes is written, lest a screen reader hear it again.
  if (element.textContent !== text) element.textContent = text;
});
count(document);
document.addEventListener("htmx:load", (event) => count(event.target.parentElement ?? document));
setInterval(() => count(document), 1000);

const TYPED_INTO = "input:not([type=radio], [type=checkbox]), textarea, select";
let begun = "";
document.addEventListener("keydown", (event) => {
  const isTyped = event.key.length === 1 && event.target.closest?.(TYPED_INTO);
  if (event.ctrlKey || event.metaKey || event.altKey || isTyped) return;
  const keys = CSS.escape(begun ? `${begun} ${event.key}` : event.key);
  const target = document.querySelector(`[data-key="${keys}"]`);
  begun = !target && document.querySelector(`[data-key^="${keys} "]`) ? event.key : "";
  if (!target) return;
  event.preventDefault();
  if (target.matches(TYPED_INTO)) target.focus(); else target.click();
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const notice = document.getElementById("stale");
  if (notice && detail.elt.hasAttribute("data-refreshes")) notice.hidden = detail.successful || detail.xhr.status > 0;
});
