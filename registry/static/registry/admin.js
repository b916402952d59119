// Refreshes the dashboard in place: not while the page is hidden, nor while something in it has the focus.
(() => {
  "use strict";
  const replace = async () => {
    const live = document.getElementById("rc-live");
    if (document.hidden || live.contains(document.activeElement)) return;
    try {
      const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("rc-live");
      if (fresh) live.replaceChildren(...fresh.childNodes);
    } catch {
      // The registry is away: what is shown carries its own time.
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    const live = document.getElementById("rc-live");
    if (live) setInterval(replace, 1000 * Number(live.dataset.refreshSeconds));
  });
})();
