// Scripts that only answer a reader (menus, tooltips): fetched at the first sign of one. A click on a menu that
// comes before its script is given again when the script is there.
(function () {
  const here = document.currentScript.src, names = NAMES;
  const signs = ["pointerover", "pointerdown", "touchstart", "focusin", "keydown", "scroll"];
  let asked = false, missing = names.length, clicked = null;
  function load(event) {
    // The theme itself scrolls the contents to the chapter that is open.
    if (asked || (event?.type === "scroll" && event.target !== document)) return;
    asked = true;
    for (const sign of signs) removeEventListener(sign, load, true);
    for (const name of names) {
      const script = document.createElement("script");
      script.src = new URL(name, here).href;
      script.async = false;
      script.onload = () => { if (--missing === 0) clicked?.click(); };
      document.head.append(script);
    }
  }
  for (const sign of signs) addEventListener(sign, load, { capture: true, passive: true });
  addEventListener("click", (event) => {
    const menu = event.target.closest?.('[data-bs-toggle="dropdown"]');
    if (menu && missing) { clicked = menu; load(); }
  }, true);
})();
