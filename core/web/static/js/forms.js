// Forms: the browser's own checks, shown beside the field as the server shows its; one send only.
import { ask } from "./confirm.js";
import { text } from "./texts.js";

function errorOf(field) {
  const id = `${field.id || field.name}-error`;
  let box = document.getElementById(id);
  if (!box) {
    box = document.createElement("div");
    box.className = "at-error";
    box.id = id;
    field.closest(".at-field")?.append(box);
  }
  return box;
}

function describe(field, id, present) {
  const ids = new Set((field.getAttribute("aria-describedby") ?? "").split(/\s+/).filter(Boolean));
  present ? ids.add(id) : ids.delete(id);
  ids.size ? field.setAttribute("aria-describedby", [...ids].join(" ")) : field.removeAttribute("aria-describedby");
}

document.addEventListener(
  "invalid",
  (event) => {
    const field = event.target;
    if (!field.form?.matches("[data-at-form]") || !field.closest(".at-field")) return;
    event.preventDefault();
    const hint = document.getElementById(`${field.id}-hint`);
    const message = field.validity.patternMismatch && hint ? hint.textContent : field.validationMessage;
    const box = errorOf(field);
    box.textContent = field.validity.valueMissing ? text("required") : message;
    field.classList.add("is-invalid");
    field.setAttribute("aria-invalid", "true");
    describe(field, box.id, true);
    if (field === field.form.querySelector(":invalid:not(fieldset)")) field.focus();
  },
  true,
);

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches?.(".is-invalid, [aria-invalid]") || !field.validity?.valid) return;
  field.classList.remove("is-invalid");
  field.removeAttribute("aria-invalid");
  const box = errorOf(field);
  describe(field, box.id, false);
  box.remove();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-at-form]")) return;
  if (form.ariaBusy === "true") return event.preventDefault();
  const button = event.submitter;
  if (button?.dataset.confirm && !button.dataset.confirmed) {
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(button.dataset.confirm, button.dataset.confirmDetail, button.textContent.trim(), button.className).then((yes) => {
      if (!yes) return;
      button.dataset.confirmed = "1";
      form.requestSubmit(button);
      delete button.dataset.confirmed;
    });
    return;
  }
  form.ariaBusy = "true";
  button?.classList.add("at-busy");
}, true);

function rest(form) {
  form.ariaBusy = null;
  for (const button of form.querySelectorAll(".at-busy")) button.classList.remove("at-busy");
}

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt.closest?.("[data-at-form]");
  if (form) rest(form);
});
window.addEventListener("pageshow", () => document.querySelectorAll("[data-at-form]").forEach(rest));
