"""The local AWS itself: MiniStack with its fixes, and the background processes that run it and the local Redshift."""
