"""The standard, pure: messages, schema, rules and the two roles. Nothing here awaits, opens, reads a clock or logs."""
