"""UNLOAD to S3: ``stage`` (the query's rows, numbered, by partition)
-> ``text`` or ``parquet`` (rows to files) -> ``destination`` (files to S3) -> ``manifest``.

``command.run`` does all of it. https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""
