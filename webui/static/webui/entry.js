// Entering grades by keyboard alone. Without this file each row is a plain form that Enter sends.
(() => {
  "use strict";

  const scores = () => [...document.querySelectorAll("form.grade input[name=score]")];
  // By its id, because the whole row may have been swapped meanwhile.
  const formOf = (element) => document.getElementById(element?.closest?.("form.grade")?.id ?? "");
  const stateOf = (form) => form.querySelector(".grade-state");

  const move = (input, step) => {
    const all = scores();
    const next = all[all.indexOf(input) + step];
    if (next) {
      next.focus();
      next.select();
    } else {
      input.blur();
      input.focus();
    }
  };

  const onKey = (event) => {
    const input = event.target;
    if (!input.matches?.("form.grade input[name=score]") || event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      // What failed for no fault of the entry is sent again; leaving the field sends only what changed.
      if (stateOf(input.form).querySelector("[data-unsaved=retry]")) input.form.requestSubmit();
      move(input, event.shiftKey ? -1 : 1);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(input, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape") {
      input.value = input.defaultValue;
    }
  };

  // What was stored becomes what the field holds, unless somebody has typed on meanwhile.
  const settle = (form, sent) => {
    const state = stateOf(form);
    const saved = state.querySelector("[data-saved]");
    form.score.setAttribute("aria-invalid", String(state.querySelector("[data-unsaved]") !== null));
    if (!saved) return;
    const { score } = form;
    const isFocused = document.activeElement === score;
    const isSelected = score.selectionStart === 0 && score.selectionEnd === score.value.length;
    if (score.value === sent && (!isFocused || isSelected)) {
      score.value = saved.dataset.saved;
      // Whoever came back to the field is about to type over all of it.
      if (isFocused) score.select();
    }
    score.defaultValue = saved.dataset.saved;
    form.excused.checked = "excused" in saved.dataset;
  };

  const onSettled = (event) => {
    const form = formOf(event.detail.target);
    if (!form) return;
    settle(form, event.detail.requestConfig.parameters.score);
    // A button that was swapped away takes the focus with it.
    if (document.activeElement === document.body) form.score.focus();
  };

  const onFailure = (event) => {
    const form = formOf(event.detail.target);
    if (!form) return;
    const message = stateOf(form).querySelector(".state-message");
    message.className = "state-message state-unsaved";
    message.dataset.unsaved = "retry";
    const status = event.detail.xhr?.status;
    const reason = status ? `the answer was ${status}. Load the page again` : "the server cannot be reached. Press Enter to try again";
    message.textContent = `Not saved: ${reason}.`;
  };

  document.addEventListener("keydown", onKey);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful || [412, 422].includes(event.detail.xhr?.status)) onSettled(event);
    else onFailure(event);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("form.grade input[name=score]")) event.target.select();
  });
})();
