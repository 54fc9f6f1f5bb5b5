// The shell's custom elements, forms and answers. Imported, not loaded when met: together they are
// 10 kB, and a key pressed before an element had come would be lost.
import "./elements/at-bell.js";
import "./elements/at-copy.js";
import "./elements/at-dialog.js";
import "./elements/at-menu.js";
import "./elements/at-progress.js";
import "./elements/at-sidebar.js";
import "./elements/at-theme.js";
import "./elements/at-toasts.js";
import "./forms.js";
import { toast } from "./toast.js";
import { text } from "./texts.js";

document.addEventListener("atrium:toast", (event) => {
  for (const each of event.detail.value ?? event.detail) toast(each.text, each.level);
});
document.addEventListener("htmx:sendError", () => toast(text("offline"), "danger"));
document.addEventListener("htmx:responseError", (event) => {
  if (!event.detail.xhr.getResponseHeader("HX-Trigger")) toast(text("failed"), "danger");
});

// "/" leads to the search of the page, or else to the page of its own that the navigation names.
document.addEventListener("keydown", (event) => {
  const busy = event.target.closest("input, textarea, select, [contenteditable], dialog");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || busy) return;
  const found =
    document.querySelector("main input[type=search]") ??
    document.querySelector("nav a[href$='/search']");
  if (!found) return;
  event.preventDefault();
  found.focus();
  if (found.matches("a")) found.click();
});
