// What every page has: times in the reader's zone, shortcuts, and a word when a page can no longer refresh itself.
(() => {
  "use strict";
  const format = (options) => new Intl.DateTimeFormat("en-GB", options);
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const clock = format(time);
  const moment = format({ ...time, fractionalSecondDigits: 3 });
  const longMoment = format({ ...time, fractionalSecondDigits: 3, day: "numeric", month: "short" });
  const day = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const exact = format({ dateStyle: "full", timeStyle: "long" });

  const age = (seconds) => {
    if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    return seconds < 172800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
  };
  const show = (element) => {
    const at = new Date(element.dateTime);
    const seconds = (Date.now() - at) / 1000;
    if (Number.isNaN(seconds)) return;
    const isNear = Math.abs(seconds) < 43200;
    const isExact = element.dataset.show === "moment";
    const text = element.dataset.show === "age" ? age(seconds) : (isNear ? (isExact ? moment : clock) : (isExact ? longMoment : day)).format(at);
    // Only what changes is written, lest a screen reader hear it again.
    if (element.textContent !== text) element.textContent = text;
    element.title ||= `${exact.format(at)} (${element.dateTime})`;
  };
  const showAll = (root) => root.querySelectorAll("time[data-show]").forEach(show);
  showAll(document);
  document.addEventListener("htmx:load", (event) => showAll(event.target.parentElement ?? document));
  setInterval(() => showAll(document), 1000);

  let begun = "";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input:not([type=radio], [type=checkbox]), textarea, select")) return;
    const keys = CSS.escape(begun ? `${begun} ${event.key}` : event.key);
    const target = document.querySelector(`[data-key="${keys}"]`);
    begun = !target && document.querySelector(`[data-key^="${keys} "]`) ? event.key : "";
    if (!target) return;
    event.preventDefault();
    if (target.matches("input, textarea")) target.focus(); else target.click();
  });

  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    const notice = document.getElementById("stale");
    if (notice && detail.elt.hasAttribute("data-refreshes")) notice.hidden = detail.successful || detail.xhr.status > 0;
  });
})();
