"""``python -m tests.mutants [WORD …]``: the mutants (of those names) and whether the tests see them."""

import sys

from tests.mutants.run import main

sys.exit(main(sys.argv[1:]))
