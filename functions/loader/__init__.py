"""What the load's handlers share. Handlers take the event apart; the modules here know what a load is.

Of these only ``dataapi`` and ``store`` know boto3.
"""
