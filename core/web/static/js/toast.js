import { text } from "./texts.js";

const LIFE = { success: 5000, info: 6000, warning: 9000, danger: 12000 };

export function adorn(item) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "at-toast-close";
  close.setAttribute("aria-label", text("close"));
  close.textContent = "×";
  close.addEventListener("click", () => leave(item));
  item.append(close);
  let left = setTimeout(() => leave(item), LIFE[item.dataset.level] ?? 6000);
  item.addEventListener("pointerenter", () => clearTimeout(left));
  item.addEventListener("pointerleave", () => (left = setTimeout(() => leave(item), 3000)));
}

function leave(item) {
  item.dataset.leaving = "";
  setTimeout(() => item.remove(), 200);
}

export function toast(message, level = "info") {
  const item = document.createElement("div");
  item.className = "at-toast";
  item.dataset.level = level;
  item.textContent = message;
  adorn(item);
  document.querySelector("at-toasts")?.append(item);
}
