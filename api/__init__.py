"""How the outside reaches us: the app, sockets, sign-in, settings and the command line."""
