"""What is right in itself and still not what anybody can have meant: the warnings of `check`. Pure.

What lives here: one law a file, over a ruleset without errors. What may not: errors (`rules.build`), a clock, a store:
the moment and what was seen in a store come as arguments.

1. `lint` is the order; `lint_segments`, `lint_experiences` and `lint_traits` hold the words.
2. Over one condition: `surprises`, `demands`, `contradictions`, with `celtext` to write CEL again.
3. By proof: `atoms` and `statements` read conditions, `background` and `matchers` say what is known beforehand,
   `proofs` looks for a way out; `tautologies`, `coverage` and `redirects` ask it.
4. `collisions`: experiences that meet. `seen`: traits that nobody has.
"""
