"""Stories of loads in one process, told by hand or at random."""
