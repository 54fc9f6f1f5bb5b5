// Check-out and check-in beside the car: each photo, mark and figure is kept on this device first
// and sent as soon as there is a connection. What is sent is forgotten here.
import { device } from "./device.js";
import { Marks } from "./marks.js";
import { newId, shrunk } from "./photos.js";
import { Sending } from "./sending.js";
import "./signature.js";

const FIELDS = ["odometer_km", "fuel_eighths", "licence_seen", "cleaning", "notes", "customer_name", "staff_name"];
const NUMBERS = ["odometer_km", "fuel_eighths"];

customElements.define(
  "ch-inspection",
  class extends HTMLElement {
    connectedCallback() {
      this.classList.add("ch-live");
      this.bar = this.querySelector(".ch-bar");
      this.version = Number(this.dataset.version);
      this.main = [...this.querySelectorAll("form[data-finish]")].at(-1);
      this.sending = new Sending(this.dataset.id, this);
      const keep = (record) => this.sending.keep(record);
      this.marks = new Marks(this, keep);
      this.base = this.values(); // as the server knows it
      this.addEventListener("change", (event) => this.changed(event));
      this.main.addEventListener("input", () => this.typed());
      this.main.addEventListener("change", () => this.typed());
      this.addEventListener("ch-signed", (event) => this.signed(event));
      // Before forms.js, which takes a form that is sent for one that is busy.
      this.finishing = (event) => this.finish(event);
      addEventListener("submit", this.finishing, true);
      this.recall();
    }

    disconnectedCallback() {
      removeEventListener("submit", this.finishing, true);
    }

    // What an earlier visit could not send is shown again, and sent.
    async recall() {
      const records = await device.all(this.dataset.id);
      for (const record of records.filter(({ what }) => what.startsWith("damage:"))) {
        this.marks.show(record.what.slice(7), record.title, record.values.note, record.at);
      }
      for (const record of records) {
        const name = record.what.slice(record.what.indexOf(":") + 1);
        if (record.what === "fields") {
          this.fill(record.values);
          ({ base: this.base, version: this.version } = record); // as it was when this was typed
        }
        if (record.what.startsWith("picture:")) this.preview(name, record.preview, "waiting");
        if (record.what.startsWith("damage-picture:")) this.marks.preview(name, record.preview);
      }
      await this.sending.flush();
    }

    state(name, count) {
      this.bar.dataset.is = name;
      const text = name === "signedOut" ? this.dataset.signedOut : this.dataset[name];
      this.bar.querySelector("[data-state]").textContent = text.replace("{count}", count);
    }

    // Fields.
    values() {
      const form = new FormData(this.main);
      const values = {};
      for (const name of FIELDS) {
        const value = form.get(name);
        if (name === "licence_seen") values[name] = value !== null;
        else if (NUMBERS.includes(name)) values[name] = value && Number.isInteger(Number(value)) ? Number(value) : null;
        else if (name === "cleaning") values[name] = value || null;
        else values[name] = (value ?? "").trim();
      }
      return values;
    }

    fill(values) {
      for (const [name, value] of Object.entries(values)) {
        const field = this.main.elements[name];
        if (!field) continue;
        if (field.type === "checkbox") field.checked = value;
        else field.value = value ?? "";
      }
    }

    async typed() {
      if (this.asking) return; // about what somebody else typed
      await this.sending.keep({ what: "fields", values: this.values(), base: this.base, version: this.version });
    }

    // Photos.
    async changed(event) {
      const file = event.target.files?.[0];
      const form = event.target.form;
      if (!file || form?.id === "mark") return;
      event.target.value = "";
      if (form.dataset.damage) return this.marks.photograph(form.dataset.damage, file, form.dataset.picture);
      const { blob, preview } = await shrunk(file);
      this.preview(form.dataset.view, preview, "waiting");
      await this.sending.keep({ what: `picture:${form.dataset.view}`, id: newId(), replaces: form.dataset.picture ?? "", blob, preview });
    }

    async signed({ target, detail }) {
      const { view, picture } = target.dataset;
      await this.sending.keep({ what: `picture:${view}`, id: newId(), replaces: picture ?? "", blob: detail.blob, preview: "" });
    }

    holder(view) {
      return this.querySelector(`form[data-view="${view}"], ch-signature[data-view="${view}"]`);
    }

    preview(view, source, state) {
      const tile = this.holder(view);
      if (!tile) return;
      tile.dataset.is = state;
      tile.querySelector("[data-error]").replaceChildren();
      const holder = tile.querySelector(".ch-shot-picture");
      if (!holder || !source) return;
      const image = document.createElement("img");
      image.src = source;
      image.alt = "";
      holder.replaceChildren(image);
      this.count();
    }

    count() {
      const taken = this.querySelectorAll("#photos .ch-shot-picture img").length;
      this.bar.querySelector("[data-count]").textContent = taken;
    }

    // What the sending tells.
    async sent(record, answer) {
      const name = record.what.slice(record.what.indexOf(":") + 1);
      if (record.what === "fields") {
        this.version = answer.version;
        this.base = record.values;
        for (const field of this.querySelectorAll('input[name="version"]')) field.value = this.version;
      } else if (record.what.startsWith("picture:")) {
        const holder = this.holder(name);
        if (holder) Object.assign(holder.dataset, { picture: record.id, is: "sent" });
      } else if (record.what.startsWith("damage-picture:")) {
        const form = this.querySelector(`form[data-damage="${name}"]`);
        if (form) Object.assign(form.dataset, { picture: record.id, is: "sent" });
      }
    }

    refused(record, why) {
      const name = record.what.slice(record.what.indexOf(":") + 1);
      const holder = this.holder(name) ?? this.querySelector(`form[data-damage="${name}"]`);
      const box = holder?.querySelector("[data-error]");
      const text = this.dataset.refused.replace("{why}", why);
      if (box) box.textContent = text;
      else this.bar.querySelector("[data-state]").textContent = text;
    }

    async edited(record) {
      const answer = await fetch(this.sending.at).catch(() => null);
      if (!answer?.ok) return this.sending.held.delete(record.what);
      const theirs = await answer.json();
      if (record.what === "fields") return this.merge(theirs);
      this.choose(record, theirs);
    }

    // Fields that only one of the two changed are joined; whoever is here decides about the rest.
    async merge(theirs) {
      const mine = this.values();
      const both = FIELDS.filter((name) => mine[name] !== this.base[name] && theirs[name] !== this.base[name] && mine[name] !== theirs[name]);
      const isSaid = (value) => value !== null && value !== "";
      for (const name of FIELDS) if (mine[name] === this.base[name] && isSaid(theirs[name])) this.fill({ [name]: theirs[name] });
      this.version = theirs.version;
      this.base = Object.fromEntries(FIELDS.map((name) => [name, theirs[name]]));
      if (both.length === 0) return this.typed();
      this.asking = both.length;
      for (const name of both) this.ask(name, theirs[name]);
      this.state("edited", 0);
    }

    ask(name, value) {
      const field = this.main.elements[name];
      const at = (field.length ? field[0] : field).closest(".at-field, fieldset");
      const done = async () => {
        at.querySelector(".ch-theirs")?.remove();
        if (--this.asking) return;
        this.asking = 0;
        await this.typed();
      };
      const take = () => {
        this.fill({ [name]: value });
        return done();
      };
      at.append(this.offer(this.dataset.theirs.replace("{value}", value ?? this.dataset.nothing), take, done));
    }

    offer(text, take, keep) {
      const box = document.createElement("div");
      box.className = "ch-theirs";
      box.setAttribute("role", "alert");
      const said = document.createElement("span");
      said.textContent = text;
      const button = (label, act) => {
        const made = document.createElement("button");
        made.type = "button";
        made.className = "btn btn-sm";
        made.textContent = label;
        made.addEventListener("click", act);
        return made;
      };
      box.append(said, button(this.dataset.takeTheirs, take), button(this.dataset.keepMine, keep));
      return box;
    }

    choose(record, theirs) {
      const name = record.what.slice(record.what.indexOf(":") + 1);
      const isView = record.what.startsWith("picture:");
      const found = isView
        ? theirs.pictures.find(({ view }) => view === name)
        : theirs.new.find(({ damage }) => damage.id === name)?.picture;
      const holder = isView ? this.holder(name) : this.querySelector(`form[data-damage="${name}"]`);
      if (!holder || !found) return this.sending.keep({ ...record, replaces: "" });
      const box = holder.querySelector("[data-error]");
      const take = async () => {
        await device.drop(record);
        holder.dataset.picture = found.id;
        box.replaceChildren();
        const source = found.path.replace("/api/v1", "");
        isView ? this.preview(name, source, "sent") : this.marks.preview(name, source);
        await this.sending.tell();
      };
      const keep = () => {
        box.replaceChildren();
        return this.sending.keep({ ...record, replaces: found.id });
      };
      box.replaceChildren(this.offer(this.dataset.taken, take, keep));
    }

    // The end: only once all is there, so that nothing arrives after it.
    async finish(event) {
      const form = event.target;
      if (!form.matches?.("[data-finish]") || !this.contains(form) || this.safe) return;
      const button = event.submitter;
      if (button.dataset.confirm && !button.dataset.confirmed) return; // it is asked first
      event.preventDefault();
      event.stopImmediatePropagation();
      button.classList.add("at-busy");
      this.bar.querySelector("[data-state]").textContent = this.dataset.wait;
      clearTimeout(this.sending.timer);
      const all = await this.sending.flush();
      button.classList.remove("at-busy");
      if (!all) return this.bar.scrollIntoView({ block: "nearest" });
      this.safe = true;
      if (button.dataset.confirm) button.dataset.confirmed = "1";
      form.requestSubmit(button);
      delete button.dataset.confirmed;
      this.safe = false;
    }
  },
);
