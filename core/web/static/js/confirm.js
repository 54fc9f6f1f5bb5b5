// A question in a native dialog; the promise tells the answer.
import { text } from "./texts.js";

function element(name, className, content = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = content;
  return made;
}

export function ask(question, detail, yes, look = "btn btn-primary") {
  const dialog = element("dialog", "at-dialog at-confirm");
  const form = element("form", "at-dialog-body");
  form.method = "dialog";
  const title = element("h2", "at-confirm-title", question);
  title.id = "confirm-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const buttons = element("div", "at-form-buttons at-end");
  const no = element("button", "btn", text("cancel"));
  const go = element("button", look, yes || text("confirm"));
  no.value = "";
  go.value = "yes";
  buttons.append(no, go);
  form.append(title, ...(detail ? [element("p", "at-quiet", detail)] : []), buttons);
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
