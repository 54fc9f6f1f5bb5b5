import { adorn } from "../toast.js";

customElements.define(
  "at-toasts",
  class extends HTMLElement {
    connectedCallback() {
      for (const item of this.children) adorn(item);
    }
  },
);
