"""An interpreter of Amazon States Language that runs a state machine in this process: interpreter, its check of
definitions, and JSONata.
"""
