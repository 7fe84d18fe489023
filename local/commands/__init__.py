"""The commands of ``python -m local``, one module each.

A module has ``HELP`` (one line), ``add_arguments(parser)`` and ``run(arguments)``, which returns
the exit code and raises Problem for what the user can fix.
"""
