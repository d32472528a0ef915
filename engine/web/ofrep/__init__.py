"""OFREP 0.3, the protocol by which any OpenFeature SDK asks: an experience is a flag.

What lives here: the addresses of the protocol, what a context means, the questions, the stream of changes.
What may not: what a flag says of a decision (`decide.flags`), deciding, the form of refusals (`refusal.py`).

1. `context.py` makes a visitor, a page and traits of an evaluation context.
2. `evaluate.py` answers for one flag, or for all that a page has, with an entity tag.
3. `changes.py` tells whoever listens that the rules, or their answers, are others. `addresses.py`: where all this is.
"""
