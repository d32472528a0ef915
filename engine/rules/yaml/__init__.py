"""From bytes to a YAML tree in which every character has its line and column. Pure but for libyaml.

What lives here: decoding, a composer over libyaml's events, scalars by YAML 1.2, what YAML mangles. What may not: the
meaning of any key (that is the room above).

1. `source` makes text of bytes; `compose` makes `nodes` of libyaml's events; `plain` reads scalars by YAML 1.2;
   `offsets` finds each of their characters again in the file.
2. Where YAML fails, `syntax` says what happened and `repair` reads on; `mangled` shows conditions as they should be.
"""
