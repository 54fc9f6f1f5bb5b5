// Long work, told by server-sent events: `progress`, then `done` or `failed`.
import { toast } from "../toast.js";

customElements.define(
  "at-progress",
  class extends HTMLElement {
    connectedCallback() {
      this.stream = new EventSource(this.dataset.source);
      this.stream.addEventListener("progress", (event) => this.show(JSON.parse(event.data)));
      this.stream.addEventListener("done", (event) => {
        this.stream.close();
        const { location: to } = JSON.parse(event.data || "{}");
        this.dataset.state = "done";
        if (to) location.assign(to);
      });
      this.stream.addEventListener("failed", (event) => {
        this.stream.close();
        this.dataset.state = "failed";
        const { message } = JSON.parse(event.data);
        this.querySelector("[data-message]").textContent = message;
        toast(message, "danger");
      });
    }

    disconnectedCallback() {
      this.stream?.close();
    }

    show({ percent, message, steps }) {
      if (percent !== undefined) {
        this.querySelector("progress").value = percent;
        this.querySelector("[data-percent]").textContent = `${Math.round(percent)}\u00a0%`;
      }
      if (message !== undefined) this.querySelector("[data-message]").textContent = message;
      if (steps) this.querySelector(".at-steps").replaceChildren(...steps.map(step));
    }
  },
);

function step({ title, state }) {
  const item = document.createElement("li");
  item.dataset.state = state;
  const mark = document.createElement("span");
  mark.className = "at-step-mark";
  mark.ariaHidden = "true";
  const name = document.createElement("span");
  name.textContent = title;
  item.append(mark, name);
  return item;
}
