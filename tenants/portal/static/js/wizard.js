// The sign-up wizard: guesses what the browser knows, and keeps what is typed on the server.
const SAVE_AFTER = 400; // ms of rest

function about(list, value) {
  return [...list].find((option) => option.value === value)?.dataset ?? {};
}

function guess(form) {
  const zone = form.querySelector('[data-guess="zone"]');
  const currency = form.querySelector('[data-guess="currency"]');
  if (!zone || !currency) return;
  const zones = document.getElementById("zones").options;
  if (!zone.value) {
    zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
    const here = about(zones, zone.value).currency;
    if (here) currency.value = here;
  }
  const country = form.querySelector("#country");
  const chosen = new Set(); // what a person chose is not guessed again
  currency.addEventListener("change", () => chosen.add(currency));
  zone.addEventListener("change", () => chosen.add(zone));
  country.addEventListener("change", () => {
    const there = country.selectedOptions[0]?.dataset ?? {};
    if (!chosen.has(currency) && there.currency) currency.value = there.currency;
    const elsewhere = about(zones, zone.value).country !== country.value;
    if (!chosen.has(zone) && there.zone && elsewhere) zone.value = there.zone;
  });
  const known = new Set([...zones].map((option) => option.value));
  zone.addEventListener("input", () => zone.setCustomValidity(""));
  zone.addEventListener("change", () => {
    const typed = zone.value.trim().toLowerCase();
    if (known.has(zone.value) || !typed) return;
    const near = [...zones].filter((option) => `${option.value} ${option.text}`.toLowerCase().includes(typed));
    if (near.length === 1) zone.value = near[0].value;
  });
}

function keepTyped(form) {
  const address = form.dataset.wizard;
  let timer = 0;
  let dirty = false;
  const save = () => {
    clearTimeout(timer);
    if (!dirty) return;
    dirty = false;
    const typed = new URLSearchParams(new FormData(form));
    typed.delete("password");
    fetch(address, { method: "POST", body: typed, keepalive: true }).catch(() => (dirty = true));
  };
  form.addEventListener("input", () => {
    dirty = true;
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_AFTER);
  });
  form.addEventListener("change", save);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    dirty = false; // the form itself says it all
  });
  addEventListener("pagehide", save);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-suggest]");
  const field = button && document.getElementById("slug");
  if (!field) return;
  field.value = button.dataset.suggest;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});

const form = document.querySelector("form[data-wizard]");
if (form) {
  guess(form);
  keepTyped(form);
}
