"""Rule files: what ops write, into a `words.Ruleset`, or into problems at their exact places.

What lives here: reading, positions, shapes, checks. What may not: deciding anything for a visitor, watching the
clock, printing. It knows `cel`, `problems`, `words` and `limits`, and nothing above it.

1. `files` finds the rule files; `source` makes text of bytes; `compose` a tree with positions over libyaml's events
   (helped by `syntax`, `mangled` and `repair` where YAML fails); `read` a `shape` out of it, driven by its types.
2. `build` turns the shapes of all files into one ruleset: references, conditions (CEL), shares, templates, selectors,
   page patterns, each by a small reader of texts that knows no file and raises `mistake.Mistake`.
3. Every step gives what it could read and every problem it found; `folder.load` runs them all and is the one door.
4. `schema` is the same `shape` for editors.
"""
