// The server writes times in UTC; here they turn into the reader's own, and into ages that keep up with the clock.
(() => {
  "use strict";
  const REFRESH_MS = 10_000;
  const DAY_SECONDS = 86_400;
  const UNITS = [["day", DAY_SECONDS], ["hour", 3600], ["minute", 60]];
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
  const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });

  const age = (moment) => {
    const seconds = (moment - Date.now()) / 1000;
    for (const [unit, size] of UNITS) {
      if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
    }
    return "just now";
  };

  const at = (moment) => {
    const text = clock.format(moment);
    return Math.abs(Date.now() - moment) < DAY_SECONDS / 2 * 1000 ? text : `${day.format(moment)}, ${text}`;
  };

  const show = (element) => {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) return;
    const text = element.dataset.show === "age" ? age(moment) : at(moment);
    // Only what changes is written, lest a screen reader hear it again.
    if (element.textContent !== text) element.textContent = text;
    element.title ||= whole.format(moment);
  };

  const showAll = (root) => root.querySelectorAll("time[data-show]").forEach(show);

  document.addEventListener("DOMContentLoaded", () => showAll(document));
  document.addEventListener("htmx:load", (event) => showAll(event.target));
  setInterval(() => showAll(document), REFRESH_MS);
})();
