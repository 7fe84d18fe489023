"""What the load's handlers share. Handlers take the event apart; the modules here know what a load is.

Only ``dataapi``, ``store`` and ``objects`` know boto3.
"""
