"""How news of a change reaches every screen: the broker and the newest state of what is watched."""
