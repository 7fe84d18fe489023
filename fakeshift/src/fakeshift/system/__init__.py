"""System views and what they are made of."""
