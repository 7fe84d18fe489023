"""What is made of a dataset.yaml."""
