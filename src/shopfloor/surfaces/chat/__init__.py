"""Chat: every command as a slash command, and the messages that subscribers get."""
