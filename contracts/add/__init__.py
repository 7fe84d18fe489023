"""Sample files -> a contract: what their columns are, why, and the text of the dataset.yaml."""
