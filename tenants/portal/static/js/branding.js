// The branding page: the preview follows the colour and the file before they are saved.
const REST = 150; // ms without another colour

const form = document.querySelector("[data-branding]");
const sheet = document.querySelector("link[data-preview]");
let timer = 0;

function wear(color) {
  const next = sheet.cloneNode();
  next.href = `${form.dataset.branding}?${new URLSearchParams({ color })}`;
  const old = document.querySelectorAll("link[data-preview]");
  next.addEventListener("load", () => old.forEach((each) => each.remove()));
  document.head.append(next);
}

function show(picture) {
  for (const brand of document.querySelectorAll(".po-preview .at-brand")) {
    const logo = document.createElement("img");
    logo.className = "at-brand-logo";
    logo.alt = "";
    logo.src = picture;
    brand.firstElementChild.replaceWith(logo);
  }
}

form.elements.color.addEventListener("input", (event) => {
  clearTimeout(timer);
  timer = setTimeout(wear, REST, event.target.value);
});
form.elements.logo.addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (!file) return;
  const reader = new FileReader();
  reader.addEventListener("load", () => show(reader.result));
  reader.readAsDataURL(file);
});
