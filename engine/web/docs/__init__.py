"""The description as a page: `/docs`.

What lives here: HTML made of the OpenAPI document, its style and its script. What may not: a word about any address
that does not stand in the document, and anything from elsewhere: no other file, font, picture or host.

1. `schema` writes schemas in words, `operation` one operation, `curl` the line that tries it, `page` all of it.
   `html` makes elements, and is the one place where text is escaped.
2. `served` answers. The page is made once; only the origin in the curl lines is that of who asks.
3. `page.css` and `page.js` stand inside the page, and the Content-Security-Policy names them by their hashes: nothing
   else may run or be loaded. Without the script it is the same page, without buttons for copying.
"""
