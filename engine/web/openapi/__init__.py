"""The description of every address: OpenAPI 3.1, made from the same structs that decode and encode.

What lives here: the words about each address, the shapes of JSON that is put together by hand, and the one document
that comes of them. What may not: answering requests, numbers and patterns that stand elsewhere already.

1. `operation` holds what can be said of one method at one address. `decisions`, `segment`, `admin`, `openfeature` and
   `service` say it, each for the addresses of its own.
2. `schemas` makes JSON Schema of structs. Where bytes are joined by hand, `shapes` and `known` hold the struct that
   they are like; where members are read one by one, `messages` holds the schema itself. Tests hold all of them to real
   answers.
3. `refusals` says how requests are refused: an operation names its codes, `engine.web.refusal` knows the rest.
4. `document` goes through the table of addresses (`engine.web.app`): what stands in it must be described, and what is
   described and does not stand in it is left out. So a service without admin keys describes no address for admins.
5. `engine.web.described` serves it, and `engine.web.docs` makes a page of it.
"""
