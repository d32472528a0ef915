"""From a condition's tree to Python functions (DESIGN sections 3 and 4). Pure: trees in, functions out.

What lives here: the normal form of a condition, the code that is generated from it, the index over many segments, and
the functions for one condition, one segment, one page. What may not: files, clocks, the shape of rule files, splits and
changes.

1. An error or an unknown is neither true nor false. So a condition is two two-valued predicates, "is true"
   and "is false", and each is a formula of plain tests under all-of and any-of (`form`). CEL's absorption of
   errors falls out of that, and operands may be put into any order.
2. `normal` makes the two formulas from a tree: connectives there, operands in `terms`, comparisons in
   `relations`. What they do not know raises `Unknown`; then the smallest boolean expression around it becomes
   one test that asks the reference implementation (`reference`). So all of CEL works, and nothing is guessed.
3. `order` puts cheap and selective tests first. `source` writes terms and tests as Python, `loading` makes a
   function of it whose traceback points at the rule.
4. Python's `==` is not CEL's (`True == 1`), so the exact meaning of every function is held in `functions`.
5. A page of few segments is straight-line code (`weaver`), one of many an index: each formula becomes `rows`, which ask
   of a term that its value is among some `values` (`constraints` says of a test which; `ranges` are the ordered ones).
   `classes` and `patterns` find what a value is, `columns` hold for each such thing the rows as bits, `blocks` cut a
   page to size, `looks` choose, `wide` is for maps of very many members; `index` generates the visit. What does not
   fit is asked of who survives. `pieces` go from one ruleset to the next.
6. `conditions`, `segments` and `pages` are what other rooms use; of `pieces`, whoever makes pages.
7. The reference implementation is the law: the tests compare with it on generated conditions and profiles.
"""
