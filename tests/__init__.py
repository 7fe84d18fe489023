"""All tests; each folder is a way to run the product."""
