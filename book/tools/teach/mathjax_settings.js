// MathJax from within the page: nothing of it may be fetched later.
window.MathJax = {
  tex: {
    inlineMath: [["\\(", "\\)"]],
    displayMath: [["\\[", "\\]"]],
    packages: { "[-]": ["autoload", "require"] },
  },
  svg: { fontCache: "local" },
  options: { enableMenu: false, enableAssistiveMml: true },
  loader: { paths: { mathjax: "." } },
};
