"""The engine inside somebody else's program: `from engine import Engine` for Python back ends.

What lives here: the public face of a node, and what it takes to be a good guest in a process that is not ours: threads,
forks, an event loop that nobody started, a data folder that a service writes. What may not: deciding, reading files or
stores (the node's), HTTP, OpenFeature (`engine.openfeature`, on top of this).

1. `engine`    `Engine`: open, decide, watch, close. It only reads: nothing is written, in no folder and no store.
2. `question`  what a caller says of a page view, checked; what is wrong is a `QuestionError` that says what would be
               right. The only thing that deciding raises.
3. `address`   a URL that is none as it stands, in the form that a browser would send.
4. `answer`    the decision as a back end reads it: which variant, and the tracking call ready to send.
5. `visitor`   who a browser is, by its cookies.
6. `guest`     the node in there: awake or not, asked again where its store was closed meanwhile; the thread that looks.
7. `lending`   the embedded store of a folder, open once in a process, whoever asks; `distant` a shared store, which is
               remembered in an event loop of its own.
8. `forks`     what does not survive a fork is put down before it, and picked up by the first decision after it.
"""
