"""The commands of ``loader``, one module each.

A module has ``HELP`` (one line), ``EXAMPLES`` (command lines), ``add_arguments(parser)`` and ``run(arguments)``, which
returns the exit code and raises Problem for what the user can fix. ``ONLY_HERE``: why it has no --stack, if so.
"""
