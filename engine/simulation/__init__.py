"""A believable stream of visitors, exposures and conversions, of which the truth is known. Pure.

What lives here: who comes, what they send, what is decided for them, who converts, and what a lift of all that ought to
say. What may not: reading rules, writing logs and stores, a clock, a source of chance: whoever asks hands them in.

1. `values`   what the conditions of the rules compare a fact with, so that some visitors match and others do not.
2. `wishes`   facts for which conditions hold, found by trying; the conditions themselves say whether they do.
3. `crowd`    visitors: of each audience some, and strangers. `goals`: events that count as a conversion.
4. `visitor`  one visitor's messages, as Segment's libraries send them; exposures are what the real decider decided.
5. `stream`   all of it in the order in which it comes. `truth`: the rates that were used.

The same seed over the same rules gives the same stream.
"""
