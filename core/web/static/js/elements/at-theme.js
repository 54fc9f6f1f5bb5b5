// Light or dark, remembered in this browser.
customElements.define(
  "at-theme",
  class extends HTMLElement {
    connectedCallback() {
      this.querySelector("button").addEventListener("click", () => {
        const root = document.documentElement;
        const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
        root.dataset.bsTheme = theme;
        try {
          localStorage.setItem("theme", theme);
        } catch {
          // storage may be forbidden; the choice then lasts for this page
        }
      });
    }
  },
);
