"""Rule files: what ops write, into a `words.Ruleset`, or into problems at their exact places.

What lives here: reading, positions, shapes, checks. What may not: deciding anything for a visitor, watching the
clock, printing. It knows `cel`, `problems`, `words` and `limits`, and nothing above it.

1. `files` finds the rule files; `yaml/` makes of bytes a tree with positions; `read` a `shape` out of it, driven by its
   types (`plans`, `values`), all of it one `document`.
2. `build` turns the shapes of all files into one ruleset: references, conditions (CEL), experiences, changes, cases,
   with the small readers of `notation/`, which know no file.
3. Every step gives what it could read and every problem it found; `folder.load` runs them all and is the one door.
4. `doubts/` looks for what is right in itself and still not meant; the service leaves that out.
5. `schema` is the same `shape` for editors. `watch`, `outline`, `version` and `lastgood` serve whoever holds a ruleset.
"""
