// Marks of damage: tap a zone of the drawing, say what it is, photograph it.
import { newId, shrunk } from "./photos.js";

const SVG = "http://www.w3.org/2000/svg";

export class Marks {
  constructor(root, keep) {
    this.root = root;
    this.keep = keep; // (record) => Promise
    this.form = root.querySelector("#mark");
    this.list = root.querySelector("[data-new]");
    this.spots = root.querySelector("[data-spots]");
    this.row = root.querySelector("[data-row]");
    this.dialog = document.createElement("dialog");
    this.dialog.className = "ch-mark-dialog";
    this.dialog.setAttribute("aria-label", this.form.querySelector("h3").textContent);
    this.form.replaceWith(this.dialog);
    this.dialog.append(this.form);
    this.listen();
    if (this.form.elements.zone.value) this.open(); // a link without scripts led here
  }

  listen() {
    const { root, form, dialog } = this;
    const here = root.querySelector("[data-mark-here]");
    here.hidden = false;
    here.addEventListener("click", () => this.open());
    for (const zone of root.querySelectorAll("a[data-zone]")) zone.addEventListener("click", (event) => this.tap(event, zone));
    form.addEventListener("submit", (event) => this.mark(event));
    const close = form.querySelector("[data-close-mark]");
    close.hidden = form.querySelector(".ch-mark-camera").hidden = false;
    close.addEventListener("click", () => dialog.close());
    const camera = form.querySelector(".ch-mark-camera input");
    camera.addEventListener("change", () => {
      form.querySelector("[data-camera]").textContent = `✓ ${camera.files[0]?.name ?? ""}`;
    });
    this.cameraText = form.querySelector("[data-camera]").textContent;
    root.addEventListener("submit", (event) => this.remove(event));
  }

  tap(event, zone) {
    event.preventDefault();
    const { svg, point } = this.place(event, zone);
    this.open(zone.dataset.zone, svg ? point : null);
  }

  // Where on the drawing, in its units; a key is pressed nowhere, and the server takes the middle.
  place(event, zone) {
    const svg = zone.ownerSVGElement;
    if (!event.detail) return {};
    const box = svg.getBoundingClientRect();
    const point = [((event.clientX - box.left) * 300) / box.width, ((event.clientY - box.top) * 500) / box.height];
    return { svg, point: point.map(Math.round) };
  }

  open(zone = "", point = null) {
    const { form } = this;
    if (zone) {
      form.reset();
      form.querySelector("[data-camera]").textContent = this.cameraText;
      form.elements.zone.value = zone;
    }
    form.elements.x.value = point?.[0] ?? "";
    form.elements.y.value = point?.[1] ?? "";
    if (!this.dialog.open) this.dialog.showModal();
    (zone ? form.elements.kind[0] : form.elements.zone).focus();
  }

  async mark(event) {
    event.preventDefault();
    const { form } = this;
    const { zone, kind, severity, note, charged, price, x, y } = form.elements;
    const values = {
      zone: zone.value,
      kind: kind.value,
      severity: severity.value,
      note: note.value.trim(),
      charged: charged.type === "hidden" || charged.checked,
      x: x.value === "" ? null : Number(x.value),
      y: y.value === "" ? null : Number(y.value),
      price: price?.value ? price.value.replace(",", ".") : null,
    };
    const title = [zone, kind, severity].map((field) => nameOf(field)).join(" · ");
    const id = newId();
    const file = form.querySelector(".ch-mark-camera input").files[0];
    const middle = this.root.querySelector(`a[data-zone="${values.zone}"]`).getBBox();
    const at = [values.x ?? middle.x + middle.width / 2, values.y ?? middle.y + middle.height / 2];
    await this.keep({ what: `damage:${id}`, values, title, at });
    this.show(id, title, values.note, at);
    this.dialog.close();
    form.reset();
    form.querySelector("[data-camera]").textContent = this.cameraText;
    if (file) await this.photograph(id, file);
  }

  async photograph(id, file, replaces = "") {
    const { blob, preview } = await shrunk(file);
    const picture = newId();
    await this.keep({ what: `damage-picture:${id}`, id: picture, replaces, blob, preview });
    this.preview(id, preview);
  }

  preview(id, source) {
    const holder = this.list.querySelector(`[data-damage="${id}"] .ch-shot-picture`);
    if (!holder || !source) return;
    const image = document.createElement("img");
    image.src = source;
    image.alt = "";
    holder.replaceChildren(image);
  }

  show(id, title, note, [x, y]) {
    if (this.list.querySelector(`[data-mark="${id}"]`)) return;
    const item = this.row.content.firstElementChild.cloneNode(true);
    item.dataset.mark = id;
    item.querySelector("[data-title]").textContent = title;
    item.querySelector("[data-note]").textContent = note;
    item.querySelector("[data-damage]").dataset.damage = id;
    item.querySelector("[data-removal]").dataset.removal = id;
    this.list.append(item);
    const spot = document.createElementNS(SVG, "g");
    spot.setAttribute("class", "ch-spot ch-spot-new");
    spot.dataset.spot = id;
    const circle = document.createElementNS(SVG, "circle");
    const number = document.createElementNS(SVG, "text");
    for (const [name, value] of [["cx", x], ["cy", y], ["r", 10]]) circle.setAttribute(name, value);
    for (const [name, value] of [["x", x], ["y", y + 4]]) number.setAttribute(name, value);
    spot.append(circle, number);
    this.spots.append(spot);
    this.count();
  }

  count() {
    const first = Number(this.list.dataset.first);
    [...this.list.children].forEach((item, place) => {
      item.querySelector("[data-number]").textContent = first + place;
      const spot = this.spots.querySelector(`[data-spot="${item.dataset.mark}"] text`);
      if (spot) spot.textContent = first + place;
    });
    this.root.querySelector("[data-none]").hidden = this.list.children.length > 0;
  }

  async remove(event) {
    const id = event.target.dataset?.removal;
    if (!id) return;
    event.preventDefault();
    await this.keep({ what: `removal:${id}` });
    this.list.querySelector(`[data-mark="${id}"]`)?.remove();
    this.spots.querySelector(`[data-spot="${id}"]`)?.remove();
    this.count();
  }
}

function nameOf(field) {
  if (field.selectedOptions) return field.selectedOptions[0].textContent;
  const chosen = [...field].find((each) => each.checked);
  return chosen?.closest("label").textContent.trim() ?? "";
}
