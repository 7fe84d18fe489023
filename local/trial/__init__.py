"""A load in this process: the functions and their state machine over files of this machine and a local Redshift."""
