"""Contracts: a dataset.yaml says what a dataset's files hold, and everything else of the dataset is made from it."""
