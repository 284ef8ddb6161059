// In the head of every page, before anything is painted: a page in dark mode is dark at once. "auto" as the mode
// where the reader has chosen none: the theme reports an error in the console without it.
const page = document.documentElement.dataset;
let mode = "auto", theme = "";
try {
  mode = localStorage.getItem("mode") || mode;
  theme = localStorage.getItem("theme") || theme;
} catch { /* a browser that keeps nothing */ }
page.mode = mode;
page.theme = mode !== "auto" && theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
