"""The laptop: a local AWS and a local Redshift, the command ``loader`` (python -m local)."""
