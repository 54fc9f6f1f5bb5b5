// "Open" was pressed already: without a script one presses it once more.
document.querySelector("[data-send-at-once]").submit();
