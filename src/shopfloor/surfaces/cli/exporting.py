"""The whole ledger as lines of JSON."""
