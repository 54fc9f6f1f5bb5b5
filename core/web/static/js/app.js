// Loads each custom element where a page uses it, and looks after forms.
import "./forms.js";
import { toast } from "./toast.js";
import { text } from "./texts.js";

const known = new Set(["at-menu", "at-theme", "at-sidebar", "at-dialog", "at-progress", "at-copy", "at-toasts"]);

function load(root) {
  for (const name of known) {
    if (root.querySelector?.(name) || root.localName === name) {
      known.delete(name);
      import(`./elements/${name}.js`);
    }
  }
}

load(document);
document.addEventListener("htmx:load", (event) => load(event.target));
document.addEventListener("atrium:toast", (event) => {
  for (const each of event.detail.value ?? event.detail) toast(each.text, each.level);
});
document.addEventListener("htmx:sendError", () => toast(text("offline"), "danger"));
document.addEventListener("htmx:responseError", (event) => {
  if (!event.detail.xhr.getResponseHeader("HX-Trigger")) toast(text("failed"), "danger");
});
