// For a page that frames the search box: makes the frame as tall as the box, which tells its height.
addEventListener("message", (event) => {
  const height = Number(event.data?.atriumHeight);
  if (!(height > 0 && height < 5000)) return;
  for (const frame of document.querySelectorAll("iframe")) {
    if (frame.contentWindow === event.source) frame.style.height = `${Math.ceil(height)}px`;
  }
});
