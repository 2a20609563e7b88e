// Modals and confirmations.
import { missing, renderBlocks, stateOf } from "./blocks.js";
import { el, icon, replace } from "./dom.js";
import { textObject } from "./text.js";

const dialog = document.getElementById("modal");
const question = document.getElementById("confirm");
let shown = null;
let handlers = null;

dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  handlers?.close();
});

export function showModal(view, context, { submit, close }) {
  handlers = { close };
  if (!view) {
    shown = null;
    if (dialog.open) dialog.close();
    return;
  }
  if (shown && shown.id === view.id && shown.hash === view.hash) return;
  shown = view;
  const readers = [];
  const inner = { ...context, readers, state: () => stateOf(readers), viewId: view.id };
  const send = el("button", { type: "submit", class: "button primary" }, view.submit?.text ?? context.texts.submit);
  const form = el("form", {
    method: "dialog", novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      if (!view.submit) return;
      const lacking = missing(readers);
      showProblems(Object.fromEntries(lacking.map((id) => [id, context.texts.required])));
      if (lacking.length) return;
      send.disabled = true;
      await submit(view.id, stateOf(readers));
      send.disabled = false;
    },
  },
  el("header", {}, el("img", { class: "avatar small", src: "static/coach.svg", alt: "" }), el("h2", {}, view.title.text),
    el("button", { type: "button", class: "icon-button", title: context.texts.close, "aria-label": context.texts.close, onclick: close }, icon("close"))),
  el("div", { class: "modal-body" }, renderBlocks(view.blocks, inner)),
  el("footer", {}, el("button", { type: "button", class: "button", onclick: close }, view.close?.text ?? context.texts.close), view.submit ? send : null));
  replace(dialog, form);
  if (!dialog.open) dialog.showModal();
  form.querySelector(".modal-body input, .modal-body textarea, .modal-body select")?.focus();
}

export function showProblems(problems) {
  for (const block of dialog.querySelectorAll("[data-block]")) {
    const place = block.querySelector(".problem");
    if (place) place.textContent = problems[block.dataset.block] ?? "";
    block.classList.toggle("wrong", Boolean(problems[block.dataset.block]));
  }
}

export function confirmation({ title, text, confirm, deny }, world) {
  return new Promise((resolve) => {
    const answer = (value) => () => { question.close(); resolve(value); };
    replace(question, el("form", { method: "dialog" },
      el("header", {}, el("h2", {}, title.text)),
      el("div", { class: "modal-body" }, textObject(text, world)),
      el("footer", {}, el("button", { type: "button", class: "button", onclick: answer(false) }, deny.text),
        el("button", { type: "button", class: "button danger", onclick: answer(true) }, confirm.text))));
    question.oncancel = answer(false);
    question.showModal();
  });
}
