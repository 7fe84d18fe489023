"""COPY from S3: which objects, formats as Redshift reads them, conversion, errors.

``load.run`` runs a statement (its options are ``sql.copy_options``): ``source`` (which objects)
-> ``formats`` (the reader of the format) -> ``batch`` (into DuckDB). ``pipeline`` is the seam between
a format and the load. JSON's exact reader: ``objects`` (bytes to JSON values with line numbers) ->
``paths`` (values to columns) -> ``convert`` (to the columns' types). Delimited text, CSV, fixed width:
``lines`` (any encoding) -> ``splitting`` (records and fields) -> ``text`` (rows) -> ``convert``.
Parquet, by DuckDB: ``parquet``.
"""
