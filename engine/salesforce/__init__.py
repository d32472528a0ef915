"""Salesforce: leads and contacts, read into a mirror, and from there into the store by email.

What lives here: asking Salesforce (through `simple-salesforce`), typed values, the mirror, and the way from a mirror to
changes in a store. What may not: Segment, the event log, rules and decisions, printing, the clock (a time always comes
as an argument), any one store.

1. `access`     who we are for Salesforce, `login` the way in. `session` the connection: time-outs, retries, how many
                calls are used. `trouble` all that can go wrong, each with what to do; `answers` reads it out of what
                the libraries raise.
2. `fields`     the fields of an object, as the org describes them. `typed` a value of such a field, the same one from
                REST, from Bulk CSV and from an export; `rows` a whole record.
3. `soql`       the questions, `client` asks them. `bulk` the jobs that read everything, page by page.
4. `mirror`     what was read, in one SQLite file: records, fields, how far each object is (`state`). A page
                and how far it goes are one transaction, so what is killed goes on where it was.
5. `projection` which record stands under an address, and what has to change in the store for it.
6. `sync`       the order of it all; `exports` the same from a CSV file; `report` what is told of it to people.

Salesforce is the source: nothing is ever written there, and what is deleted there is gone here after the next sync.
"""
