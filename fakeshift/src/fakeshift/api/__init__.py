"""The Data API: operations and the model that checks their requests."""
