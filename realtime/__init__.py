"""How news of a change reaches every screen: broker, live sources, shared subscriptions, pacing."""
