// Tables of grades: one field moves from cell to cell as in a spreadsheet, and saves what was typed when it leaves.
const editor = document.getElementById("editor"), [field, more] = editor.children;
const UNSAVED = "[data-v]:is(.pending, .unsaved)";
const cellOf = (td) => td?.querySelector(":scope > [data-v]");
const typedIn = (cell) => cell.dataset.typed ?? cell.textContent.trim();

const place = (td, isEntered) => {
  const cell = cellOf(td), row = td.parentElement;
  if (editor.parentElement !== td) td.prepend(editor);
  editor.hidden = false;
  field.value = field.defaultValue = typedIn(cell);
  field.setAttribute("aria-labelledby", `${row.cells[0].id} ${td.closest("table").rows[0].cells[td.cellIndex].id}`);
  field.setAttribute("aria-describedby", cell.id);
  more.href = `${td.closest("[data-url]").dataset.url}/${cell.id}`;
  if (isEntered) field.focus();
  if (document.activeElement === field) field.select();
};

const neighbour = (td, rows, columns) => {
  const table = td.closest("table");
  let row = td.parentElement.rowIndex, column = td.cellIndex, next;
  do next = table.rows[row += rows]?.cells[column += columns]; while (next && !cellOf(next));
  return next;
};

const save = (cells, values, left = 0) => {
  cells.forEach((cell, index) => {
    cell.textContent = cell.dataset.typed = values[index];
    cell.className = "pending";
  });
  const table = cells[0].closest("[data-url]");
  // The table lets one request follow the other: the totals that come last are the latest.
  htmx.ajax("POST", table.dataset.url, { source: table, swap: "none", values: { cell: cells.map((cell) => cell.id), score: values, left } });
};

const commit = (isRetry) => {
  const cell = cellOf(editor.parentElement), value = field.value.trim();
  if (!cell || field.readOnly || (value === typedIn(cell) && !(isRetry && "retry" in cell.dataset))) return;
  field.defaultValue = field.value;
  save([cell], [value]);
};

field.addEventListener("keydown", (event) => {
  const { key, shiftKey } = event, td = editor.parentElement, back = shiftKey ? -1 : 1;
  const isTyping = field.value !== field.defaultValue;
  const isWhole = field.selectionEnd - field.selectionStart === field.value.length && !shiftKey;
  if (event.isComposing || event.altKey) return;
  if (key === "Escape" && isTyping) field.value = field.defaultValue;
  else if (key === "Escape") (td.querySelector("[data-discard]") ?? document.querySelector(".skip-link")).click();
  const step = { Enter: [back, 0], ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowLeft: isWhole && [0, -1], ArrowRight: isWhole && [0, 1],
    // Where a note asks something, Tab leads to its answers.
    Tab: !td.querySelector("button") && [0, back] }[key];
  const next = step && neighbour(td, ...step);
  if (!step || (key === "Tab" && !next)) return;
  event.preventDefault();
  commit(key === "Enter");
  place(next ?? td, true);
});

document.addEventListener("keydown", ({ key, ctrlKey, metaKey, target }) => {
  // Where a text is being typed the key is the browser's.
  const isTyping = target === field ? field.value !== field.defaultValue : target.matches("input, select, textarea");
  if (key === "z" && (ctrlKey || metaKey) && !isTyping) document.querySelector("[data-undo]")?.click();
});

field.addEventListener("paste", (event) => {
  const lines = event.clipboardData.getData("text").replace(/\r?\n$/, "").split(/\r?\n/).map((line) => line.split("\t"));
  const start = editor.parentElement, rows = [...start.closest("table").rows].filter((row) => row.querySelector("[data-v]"));
  const cellAt = (down, right) => cellOf(rows[rows.indexOf(start.parentElement) + down]?.cells[start.cellIndex + right]);
  if (lines.flat().length < 2 || field.readOnly) return;
  event.preventDefault();
  const found = lines.flatMap((line, down) => line.map((value, right) => [cellAt(down, right), value.trim()])).filter(([cell]) => cell);
  save(found.map(([cell]) => cell), found.map(([, value]) => value), lines.flat().length - found.length);
  place(start, true);
});

const settle = () => {
  field.readOnly = document.querySelector("[data-read-only]") !== null;
  const td = editor.parentElement, isHome = editor.isConnected && cellOf(td), first = document.querySelector("[data-url] td:has(> [data-v])");
  if (isHome ? field.value === field.defaultValue : first) place(isHome ? td : first, document.activeElement === document.body && isHome);
};

field.addEventListener("mousedown", (event) => {
  // A click selects the grade, as in every other cell; within a field that has the focus it places the caret.
  if (document.activeElement !== field) event.preventDefault(), place(editor.parentElement, true);
});
field.addEventListener("focusout", () => commit());
document.addEventListener("click", (event) => {
  const td = event.target.closest("td");
  if (cellOf(td) && !event.target.closest("a, button, input")) place(td, true);
});
document.addEventListener("htmx:afterSettle", settle);
document.addEventListener("htmx:oobAfterSwap", settle);
document.addEventListener("htmx:configRequest", ({ detail }) => {
  // Seen is what the cells show when the request leaves, not when it joined the queue.
  const ids = detail.formData.getAll("cell");
  if (ids.length && !detail.parameters.version) detail.parameters.version = ids.map((id) => document.getElementById(id).dataset.v);
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful || [412, 422].includes(detail.xhr.status)) return;
  const cells = detail.requestConfig.formData.getAll("cell").map((id) => document.getElementById(id));
  // Whoever is signed out is led to sign-in, unless they choose to stay on the page.
  const isExpired = detail.xhr.status === 403 || detail.xhr.getResponseHeader("HX-Redirect");
  const why = isExpired ? editor.dataset.expired : editor.dataset.lost;
  for (const cell of cells) Object.assign(cell, { className: "unsaved", title: why }).dataset.retry = "";
  if (cells.length) document.getElementById("toasts").textContent = why;
});
document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.verb === "get" && event.detail.target.querySelector(UNSAVED) && !confirm(editor.dataset.leave)) event.preventDefault();
});
window.addEventListener("beforeunload", (event) => {
  if (field.value !== field.defaultValue || document.querySelector(UNSAVED)) event.preventDefault();
});
settle();
