"""What the handlers share: a handler is one step of the load, a module here is one subject.

Only ``clients``, ``dataapi`` and ``store`` use boto3.
"""
