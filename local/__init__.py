"""The laptop: a local AWS and a local Redshift, the commands ``python -m local …``, and the linters."""
