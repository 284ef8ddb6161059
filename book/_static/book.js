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

// On paper a page is light and complete: what is folded is open, as the reader cannot open it there.
let before = null;
addEventListener("beforeprint", () => {
  const folds = [...document.querySelectorAll("main details:not([open])")];
  before = { theme: document.documentElement.dataset.theme, folds };
  document.documentElement.dataset.theme = "light";
  for (const fold of folds) fold.open = true;
  for (const image of document.querySelectorAll("img[loading=lazy]")) image.loading = "eager";
});
addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = before.theme;
  for (const fold of before.folds) fold.open = false;
});
