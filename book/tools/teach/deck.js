// One slide at a time: keys, clicker, swipe and buttons; what waits on a slide comes before the next one.
(() => {
  "use strict";
  const root = document.documentElement;
  const slides = [...document.querySelectorAll(".slide")];
  const place = document.getElementById("place");
  let now = 0;
  let speaker = null;

  const waiting = () => [...slides[now].querySelectorAll(".step:not(.seen)")];

  // Text that does not fit is set smaller, down to a little more than half; below that it scrolls.
  function fit() {
    const body = slides[now].querySelector(".body");
    body.style.fontSize = "";
    for (let size = 1; size > 0.58 && body.scrollHeight > body.clientHeight + 2; size -= 0.04) {
      body.style.fontSize = `${size}em`;
    }
  }

  function tell() {
    if (!speaker || speaker.closed) return;
    const notes = slides[now].querySelector(".notes");
    const next = slides[now + 1];
    const page = speaker.document;
    page.title = "Notes";
    page.body.style.cssText = "font: 20px/1.5 system-ui, sans-serif; margin: 1.5rem; max-width: 45rem";
    page.body.innerHTML = "<h1></h1><div></div><hr><p></p>";
    page.querySelector("h1").textContent = `${now + 1}. ${slides[now].querySelector("h1, h2").textContent}`;
    page.querySelector("div").innerHTML = notes ? notes.innerHTML : "(no notes)";
    const left = waiting().length ? "The next key shows what is behind this slide. " : "";
    page.querySelector("hr + p").textContent =
      left + (next ? `Next: ${next.querySelector("h1, h2").textContent}` : "The end.");
  }

  function show(number, { whole = false } = {}) {
    now = Math.max(0, Math.min(slides.length - 1, number));
    slides.forEach((slide, i) => slide.classList.toggle("now", i === now));
    if (whole) waiting().forEach((step) => step.classList.add("seen"));
    place.textContent = `${now + 1} of ${slides.length}`;
    history.replaceState(null, "", `#${slides[now].id}`);
    fit();
    tell();
  }

  function on() {
    const [step] = waiting();
    if (!step) return show(now + 1);
    step.classList.add("seen");
    fit();
    tell();
  }
  const back = () => show(now - 1, { whole: true });
  const toAnchor = () => {
    const target = slides.findIndex((slide) => `#${slide.id}` === location.hash);
    show(target < 0 ? 0 : target);
  };

  const keys = {
    ArrowRight: on, ArrowDown: on, PageDown: on, " ": on, Enter: on,
    ArrowLeft: back, ArrowUp: back, PageUp: back, Backspace: back,
    Home: () => show(0), c: () => show(0), End: () => show(slides.length - 1),
    n: () => { root.classList.toggle("notes-shown"); fit(); },
    d: () => root.classList.toggle("dark"),
    f: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()),
    s: () => { speaker = window.open("", "notes", "width=760,height=700"); tell(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onControl = event.target.closest("a, button");
    if (onControl && (event.key === "Enter" || event.key === " ")) return;
    const act = keys[event.key] || keys[event.key.toLowerCase()];
    if (act) { event.preventDefault(); act(); }
  });
  document.getElementById("on").addEventListener("click", on);
  document.getElementById("back").addEventListener("click", back);
  let startX = null;
  document.addEventListener("touchstart", (event) => { startX = event.changedTouches[0].clientX; }, { passive: true });
  document.addEventListener("touchend", (event) => {
    const moved = event.changedTouches[0].clientX - startX;
    if (Math.abs(moved) > 60) (moved < 0 ? on : back)();
  });
  window.addEventListener("hashchange", toAnchor);
  window.addEventListener("resize", fit);
  root.classList.add("deck");
  toAnchor();
  // Formulas change the height of a slide when they are set.
  const set = () => window.MathJax?.startup?.promise?.then(fit);
  window.addEventListener("load", set);
})();
