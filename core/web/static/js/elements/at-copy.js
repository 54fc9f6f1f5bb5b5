// <at-copy data-text="…"><button>Copy</button></at-copy>
import { text } from "../texts.js";
import { toast } from "../toast.js";

customElements.define(
  "at-copy",
  class extends HTMLElement {
    connectedCallback() {
      this.querySelector("button").addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(this.dataset.text);
          toast(text("copied"), "success");
        } catch {
          toast(text("failed"), "warning");
        }
      });
    }
  },
);
