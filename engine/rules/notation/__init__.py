"""The small notations inside rule files: shares, page patterns, selectors, templates. Pure.

What lives here: one reader a notation; each takes a text and raises `mistake.Mistake` with the offset of what is wrong.
What may not: YAML, files, visitors.

1. `scalars`: shares, windows, weights, moments, keys.
2. `urls`, `glob`, `patterns`: pages; `example_url` is the way back, from a pattern to a page that it has.
3. `selectors`: which elements a change is about.
4. `slots` cuts `{{ … }}` out of a text; `templates` says by `markup` and `links` where each stands, and `inert` that
   nothing there runs code.
"""
