"""What a client may say and see: the GraphQL types and operations."""
