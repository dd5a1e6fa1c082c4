"""The API and the dashboard: every operation over HTTP, and who may come in."""
