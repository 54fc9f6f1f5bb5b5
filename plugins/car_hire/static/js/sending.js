// Sends what the device keeps, one thing after the other, again and again until it is there.
// Everything bears an id of ours, so that what arrives twice is there once.
import { device } from "./device.js";

const ORDER = ["damage:", "removal:", "picture:", "damage-picture:", "fields"];
const PATIENCE = [1, 2, 5, 10, 20];

const rank = ({ what }) => ORDER.findIndex((start) => what.startsWith(start));
const json = { "content-type": "application/json" };

function request(record) {
  const { what, id } = record;
  const name = what.slice(what.indexOf(":") + 1);
  if (what === "fields") {
    return { method: "PUT", path: "", headers: { ...json, "if-match": `"${record.version}"` }, body: JSON.stringify(record.values) };
  }
  if (what.startsWith("damage:")) return { method: "PUT", path: `/damages/${name}`, headers: json, body: JSON.stringify(record.values) };
  if (what.startsWith("removal:")) return { method: "DELETE", path: `/damages/${name}` };
  const body = new FormData();
  body.append("photo", record.blob, "photo.jpg");
  const path = what.startsWith("picture:") ? `/pictures/${name}` : `/damages/${name}/picture`;
  const replaces = record.replaces ? `&replaces=${record.replaces}` : "";
  return { method: "PUT", path: `${path}?picture_id=${id}${replaces}`, body };
}

export class Sending {
  // `page` hears: state(name, count), sent(record, answer), refused(record, why), edited(record).
  constructor(of, page) {
    this.of = of;
    this.at = `/api/v1/car-hire/inspections/${of}`;
    this.page = page;
    this.failures = 0;
    this.held = new Set(); // what waits for a decision of whoever is here
    addEventListener("online", () => this.flush());
    addEventListener("offline", () => this.tell());
  }

  async keep(record) {
    await device.keep({ of: this.of, ...record });
    this.held.delete(record.what);
    this.soon(record.what === "fields" ? 600 : 0);
  }

  soon(wait) {
    clearTimeout(this.timer);
    this.page.state("saving", 0);
    this.timer = setTimeout(() => this.flush(), wait);
  }

  async left() {
    return (await device.all(this.of)).filter(({ what }) => !this.held.has(what));
  }

  async tell() {
    const all = await device.all(this.of);
    this.page.state(all.length === 0 ? "saved" : navigator.onLine && this.failures === 0 ? "saving" : "offline", all.length);
  }

  // Whether everything is there now.
  async flush() {
    clearTimeout(this.timer);
    this.going ??= this.run().finally(() => (this.going = null));
    await this.going;
    await this.tell();
    return (await device.all(this.of)).length === 0;
  }

  async run() {
    for (;;) {
      const [record] = (await this.left()).sort((a, b) => rank(a) - rank(b) || a.made - b.made);
      if (!record) return;
      if (!(await this.send(record))) return;
    }
  }

  async send(record) {
    const { path, ...options } = request(record);
    let answer;
    try {
      answer = await fetch(this.at + path, { ...options, signal: AbortSignal.timeout(60_000) });
    } catch {
      return this.later();
    }
    if (answer.status === 401) return this.page.state("signedOut", (await device.all(this.of)).length);
    if (answer.status === 429 || answer.status >= 500) return this.later();
    this.failures = 0;
    const said = answer.status === 204 ? null : await answer.json().catch(() => null);
    if (answer.ok) {
      await device.sent(record);
      await this.page.sent(record, said);
    } else if (answer.status === 412) {
      this.held.add(record.what);
      await this.page.edited(record);
    } else if (answer.status === 409) {
      this.page.state("over", (await device.all(this.of)).length);
      return false;
    } else {
      await device.drop(record);
      this.page.refused(record, said?.errors?.[0]?.message ?? said?.detail ?? said?.title ?? answer.status);
    }
    return true;
  }

  later() {
    const wait = PATIENCE[Math.min(this.failures++, PATIENCE.length - 1)];
    this.timer = setTimeout(() => this.flush(), wait * 1000);
    return false;
  }
}
