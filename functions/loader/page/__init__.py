"""The page of loads, and the dashboard's widget: what the history says, as HTML. Calls nothing of AWS."""
