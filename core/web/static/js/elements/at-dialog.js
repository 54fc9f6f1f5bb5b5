// A native dialog that opens by <button data-opens="its id"> and closes by its own buttons.
customElements.define(
  "at-dialog",
  class extends HTMLElement {
    connectedCallback() {
      const dialog = this.querySelector("dialog");
      this.open = (event) => {
        if (event.target.closest(`[data-opens="${dialog.id}"]`)) dialog.showModal();
      };
      document.addEventListener("click", this.open);
      dialog.addEventListener("click", (event) => {
        if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
      });
      if (dialog.querySelector("[aria-invalid]")) dialog.showModal(); // it came back with errors
    }

    disconnectedCallback() {
      document.removeEventListener("click", this.open);
    }
  },
);
