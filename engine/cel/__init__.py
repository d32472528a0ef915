"""Conditions in the Common Expression Language (DESIGN section 3). Pure: text in, trees and truths out.

What lives here: the way from a condition's text to its checked bytes (`parse`), from those to a typed tree
(`wire`, `tree`), the names in scope (`scope`), and the oracle that evaluates with the reference implementation
(`oracle`). What may not: files, YAML, clocks, and any opinion of how a condition is made fast (that is `compile`).

1. CEL is not re-invented: parsing, checking and the meaning of every expression come from the reference
   implementation. `parse` only guards it from hostile text and turns its complaints into plain words (`hints`).
2. The checked bytes are what a ruleset carries. They hold every node's type and position, can be stored and
   compared, and are read back without the text.
3. Positions are offsets in code points from the first character of the condition's text.
4. The oracle never raises for what a visitor brings: error and unknown are `None`.
"""
