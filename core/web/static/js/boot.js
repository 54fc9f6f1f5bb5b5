// Runs before the first paint: the theme and the folded sidebar must not flicker.
(() => {
  const root = document.documentElement;
  const read = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage may be forbidden; the page works without
    }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.bsTheme = read("theme") ?? (dark ? "dark" : "light");
  if (read("sidebar") === "folded") root.dataset.sidebar = "folded";
})();
