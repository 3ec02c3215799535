"""What is true and what is allowed: models, rules, actions, reads. No GraphQL, no HTTP, no Redis."""
