// A page that refreshes itself says so when it no longer can.
(() => {
  "use strict";
  document.addEventListener("htmx:afterRequest", (event) => {
    const notice = document.getElementById("stale");
    if (notice && event.detail.elt.id === "status-poll") notice.hidden = event.detail.successful;
  });
})();
