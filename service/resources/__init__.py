"""One module per thing: how it is represented, what can be done to it, and its addresses."""
