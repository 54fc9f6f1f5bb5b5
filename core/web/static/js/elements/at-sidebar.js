// The desk's navigation: folds to icons on wide screens, slides in as a drawer on narrow ones.
customElements.define(
  "at-sidebar",
  class extends HTMLElement {
    connectedCallback() {
      const root = document.documentElement;
      this.opener = document.querySelector("[data-drawer]");
      this.querySelector("[data-fold]")?.addEventListener("click", () => {
        if (root.dataset.drawer) return this.drawer(false);
        const folded = root.dataset.sidebar === "folded";
        folded ? delete root.dataset.sidebar : (root.dataset.sidebar = "folded");
        try {
          localStorage.setItem("sidebar", folded ? "open" : "folded");
        } catch {
          // storage may be forbidden; the choice then lasts for this page
        }
      });
      for (const group of this.querySelectorAll("details")) this.remember(group);
      this.opener?.addEventListener("click", () => this.drawer(!root.dataset.drawer));
      document.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && root.dataset.drawer) this.drawer(false);
      });
      document.addEventListener("pointerdown", (event) => {
        if (root.dataset.drawer && !this.contains(event.target) && !this.opener.contains(event.target)) this.drawer(false);
      });
    }

    // A group that somebody opened stays open on the next page, until this tab is closed.
    remember(group) {
      const key = `group:${group.querySelector("summary").title}`;
      try {
        if (sessionStorage.getItem(key) === "open") group.open = true;
        group.addEventListener("toggle", () => sessionStorage.setItem(key, group.open ? "open" : "closed"));
      } catch {
        // storage may be forbidden; groups then open with their own pages alone
      }
    }

    drawer(open) {
      const root = document.documentElement;
      open ? (root.dataset.drawer = "open") : delete root.dataset.drawer;
      this.opener.setAttribute("aria-expanded", String(open));
      (open ? this.querySelector("a") : this.opener).focus();
    }
  },
);
