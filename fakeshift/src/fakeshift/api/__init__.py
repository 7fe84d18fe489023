"""The Data API: its operations, their model, their errors."""
