"""A journal with an audience of its own and a state with another right, without a change of the machinery."""
