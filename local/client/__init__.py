"""What the commands do with a running local AWS: clients, the stack, uploads, executions, SQL."""
