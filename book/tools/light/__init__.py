"""The built pages, made light: `python -m tools.light _build/html`, the last step of `make book`.

It reads the finished HTML and not the theme's templates, and takes away only what no page uses. Each step is
a function of a `Site`:

- icons: the icon font alone draws them; the 1.5 MB script that draws the same icons again goes.
- formulas: TeX becomes MathML, with a font of the characters in use; MathJax goes.
- scripts: one deferred file; Bootstrap comes when a reader does; the search index where there are results.
- sheets: one style sheet without the rules that no page can match.
- figures: sizes that keep the page from jumping, later loading below the first section, shorter SVG.
- access: landmarks and table headers that a screen reader can use.
- head: description, picture and title for whoever links to a page, canonical address, site map, 404 page.

What a step does not know (an inline script, a TeX command, an @import) is a warning, and a warning ends the
build with an error: an upgrade of the theme cannot break a page in silence. A page with a script of its own
marks it with ``data-keep``; it stays where it is.

Measured with Lighthouse's phone on a chapter: 3.9 MB and a score of 37 before, 0.3 MB and 97 after.
"""
