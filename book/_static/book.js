// The theme listens only to the first button of each kind on a page, and that one stands in its header, which
// book.css does not show. A click on another one is handed to it; when the dialog that it opened is closed,
// the keyboard is back on the button that was pressed.
document.addEventListener("click", (event) => {
  for (const kind of ["primary-toggle", "secondary-toggle"]) {
    const first = document.querySelector(`.${kind}`);
    const pressed = event.target.closest(`.${kind}`);
    if (!pressed || pressed === first || first.getClientRects().length > 0) continue;
    event.preventDefault();
    first.click();
    setTimeout(() => {
      const dialog = document.querySelector("dialog[open]");
      dialog?.addEventListener("close", () => pressed.focus(), { once: true });
    });
  }
});

// A wide formula scrolls in its own box: the keyboard has to reach that box, and only then.
const reach = () => {
  for (const box of document.querySelectorAll("div.math, .results")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
addEventListener("load", reach);
addEventListener("resize", reach);
