// The page's own words, in the reader's language.
const texts = JSON.parse(document.getElementById("atrium-texts")?.textContent ?? "{}");

export const text = (name) => texts[name] ?? "";
