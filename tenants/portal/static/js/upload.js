// A large file on its way: how far it is, and a button to stop. Without a script the form is sent
// like any other.
customElements.define(
  "po-upload",
  class extends HTMLElement {
    connectedCallback() {
      // Before forms.js, which takes a form that is sent for one that is busy.
      this.addEventListener("submit", (event) => this.send(event), true);
      this.addEventListener("click", (event) => {
        if (event.target.closest("[data-stop]")) this.request?.abort();
      });
    }

    send(event) {
      const form = event.target;
      const file = form.elements.archive.files[0];
      if (!file) return; // the server says what is missing
      event.preventDefault();
      if (this.request) return;
      if (file.size > Number(this.dataset.most)) return this.refuse(form, this.dataset.tooLarge);
      const request = (this.request = new XMLHttpRequest());
      request.upload.addEventListener("progress", ({ loaded, total }) => this.show((100 * loaded) / total));
      request.addEventListener("load", () => this.arrived(form));
      request.addEventListener("error", () => this.refuse(form, this.dataset.broken));
      request.addEventListener("abort", () => this.rest(form));
      request.open("POST", form.action);
      request.responseType = "document";
      request.setRequestHeader("Accept", "text/html");
      request.send(new FormData(form));
      this.going(true);
      this.show(0);
    }

    arrived(form) {
      const { response, responseURL, status } = this.request;
      if (status < 400) return location.assign(responseURL);
      const said = response?.querySelector("#send");
      if (!said) return this.refuse(form, response?.querySelector("h1")?.textContent ?? this.dataset.broken);
      this.request = null;
      form.replaceWith(document.adoptNode(said));
    }

    refuse(form, message) {
      this.rest(form);
      const box = this.querySelector("[data-said]");
      box.hidden = false;
      box.textContent = message;
    }

    rest(form) {
      this.request = null;
      form.ariaBusy = null;
      form.querySelectorAll(".at-busy").forEach((button) => button.classList.remove("at-busy"));
      this.going(false);
    }

    going(yes) {
      this.querySelector(".po-upload-way").hidden = !yes;
      this.querySelector("[data-stop]").hidden = !yes;
      if (yes) this.querySelector("[data-said]").hidden = true;
      this.querySelector("[data-cancel]").hidden = yes;
      this.querySelector("button[type=submit]").disabled = yes;
    }

    show(percent) {
      this.querySelector("progress").value = percent;
      this.querySelector("[data-percent]").textContent = `${Math.floor(percent)}\u00a0%`;
    }
  },
);
