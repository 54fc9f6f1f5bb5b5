// A button and the panel that it opens; closes on Escape, on a click elsewhere, on leaving by Tab.
customElements.define(
  "at-menu",
  class extends HTMLElement {
    connectedCallback() {
      this.button = this.querySelector(":scope > button");
      this.panel = this.querySelector(":scope > .at-menu-panel");
      this.button.setAttribute("aria-expanded", "false");
      this.button.addEventListener("click", () => this.show(this.panel.hidden));
      this.addEventListener("keydown", (event) => this.key(event));
      this.addEventListener("focusout", (event) => {
        if (event.relatedTarget && !this.contains(event.relatedTarget)) this.show(false);
      });
      this.away = (event) => this.contains(event.target) || this.show(false);
      document.addEventListener("pointerdown", this.away);
    }

    disconnectedCallback() {
      document.removeEventListener("pointerdown", this.away);
    }

    show(open) {
      this.panel.hidden = !open;
      this.button.setAttribute("aria-expanded", String(open));
      if (!open) return;
      delete this.panel.dataset.side;
      const box = this.panel.getBoundingClientRect();
      if (box.left < 8) this.panel.dataset.side = "start";
    }

    key(event) {
      const items = [...this.panel.querySelectorAll("a, button")];
      const at = items.indexOf(document.activeElement);
      if (event.key === "Escape" && !this.panel.hidden) {
        this.show(false);
        this.button.focus();
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        this.show(true);
        const step = event.key === "ArrowDown" ? 1 : -1;
        items.at((at + step + (at < 0 && step < 0 ? 1 : 0)) % items.length)?.focus();
      }
    }
  },
);
