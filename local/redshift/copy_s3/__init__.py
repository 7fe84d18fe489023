"""COPY from S3: options, what to read, JSON as Redshift reads it, conversion, errors.

``load.run`` is the whole of it: ``options`` (what the statement says) -> ``source`` (which objects)
-> ``objects`` (bytes to JSON values with line numbers) -> ``paths`` (values to columns) ->
``convert`` (to the columns' types) -> ``batch`` (into DuckDB). The row pipeline is behind
``pipeline.Rows``, so that a faster one can take its place.
"""
