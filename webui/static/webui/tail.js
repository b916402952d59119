// The log's live tail: what is new waits with the log service, and is shown by itself only to whoever looks at the top.
document.addEventListener("htmx:afterSettle", () => {
  const list = document.getElementById("log-lines");
  if (!list) return;
  list.querySelectorAll(":scope > :nth-child(n + 1001)").forEach((row) => row.remove());
  const reads = scrollY > 80 || list.querySelector("details[open]") || !getSelection().isCollapsed;
  if (!reads && !document.getElementById("pause")?.checked) document.getElementById("tail-new")?.click();
});
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard?.writeText(document.getElementById(button.dataset.copy).textContent);
  button.classList.add("copied");
});
