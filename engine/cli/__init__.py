"""The `mutiny-edge` command. The top floor: nothing in the house knows it.

What lives here: reading arguments, printing, exit codes. What may not: deciding, reading files other than those an
argument names, wiring parts together (that is `engine.node`), and any import of another room at the top of `main.py`.

1. `main.py` is the table of verbs. A verb is one file with one click command named `command`, loaded when it is called,
   so that `mutiny-edge --help` costs no more than click itself.
2. `options.py` holds the options that several verbs share, once, with their environment variables.
3. `screen.py` is where text meets the terminal: what is for people goes to stderr, what is for programs to stdout.
4. Exit codes: 0 all is well; 1 problems were found in what was looked at; 2 the command could not be carried out as
   given (a wrong option, a missing folder, a busy port); 130 Ctrl-C; 141 whoever read the output has gone, as `head`
   does. Nothing that a user can cause is a traceback.
   Of `diff` 2 is also the answer "a live experience is drawn anew"; stdout is empty if it could not be carried out.
"""
