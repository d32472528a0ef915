"""From a page view to a decision: the deciding itself, as a pure function (DESIGN section 4).

What lives here: URL to experiences, traits made fit for rules, the split, the prepared bytes of every variant, the
decider that joins them, and ops' own test cases. What may not: reading, writing, clocks, randomness, logging; how a
condition is evaluated (`compile`); what a rule file looks like (`rules`).

1. `coerce.py`: declared traits get their type once, losslessly, before any rule sees them.
2. `pages.py`: which live experiences a URL has, and one page function for each distinct set of them.
3. `split.py`: control, variant, holdout: three independent draws in whole numbers. A public contract.
4. `render.py` with `escape.py`: a variant's JSON is made when the ruleset is taken; a visitor only fills its slots.
5. `plans.py`: an experience with its draws and entries, ready. `decider.py`: all of these in order, as
   `Decider.decide(profile, page, visit, now)`.
6. `wire.py`: the answer's bytes. `usual.py`: the short way to the same, from the store on. `flags.py`: the same as
   feature flags say it, `dates.py`: when they change by themselves. `cases.py`: ops' own `tests:` run against a
   decider.
7. `explain.py` with `explain_*.py` and `explanation.py`: the slow second form, which says why. It asks the reference
   implementation part by part, so that nobody has to believe the generated code; both must come to the same.
"""
