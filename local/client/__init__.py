"""What the commands do with a local AWS that runs: clients, the stack, uploads, executions, SQL."""
