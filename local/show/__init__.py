"""What a person sees: progress, tables, reports. Nothing here calls AWS."""
