"""What rules come to for many visitors, and what an edit would change, before anybody sees it. Pure.

What lives here: counts over profiles, the comparison of two rulesets and of their decisions. What may not: deciding
(that is `decide`), where profiles and rule files come from, words on a screen.

1. `audience` with `causes`: many profiles counted by segment, and why some have no answer. `sampling`: which of them.
   `sightings`: what was ever sent, as `check` asks for it.
2. `difference` joins what one ruleset does otherwise than another: `renames`, `edits` in words, `redraws` for whom it
   draws anew. `moves` decides visitors by both.
"""
