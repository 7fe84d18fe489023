"""Functions that Redshift has and fakeshift has not: they are refused by their names.

By the page of the documentation that has them, below https://docs.aws.amazon.com/redshift/latest/dg/.
"""

from __future__ import annotations

_GEOMETRY = """
addbbox dropbbox geometrytype supportsbbox
h3_boundary h3_center h3_fromlonglat h3_frompoint h3_isvalid h3_polyfill h3_resolution h3_tochildren h3_toparent
st_addpoint st_angle st_area st_asbinary st_asewkb st_asewkt st_asgeojson st_ashexewkb st_ashexwkb st_astext st_azimuth
st_boundary st_buffer st_centroid st_collect st_contains st_containsproperly st_convexhull st_coveredby st_covers
st_crosses st_dimension st_disjoint st_distance st_distancesphere st_dwithin st_endpoint st_envelope st_equals
st_exteriorring st_force2d st_force3d st_force3dm st_force3dz st_force4d st_geogfromtext st_geogfromwkb st_geohash
st_geomcollfromtext st_geometryn st_geometrytype st_geomfromewkb st_geomfromewkt st_geomfromgeohash
st_geomfromgeojson st_geomfromgeosquare st_geomfromtext st_geomfromwkb st_geosquare st_interiorringn st_intersection
st_intersects st_isclosed st_iscollection st_isempty st_ispolygonccw st_ispolygoncw st_isring st_issimple st_isvalid
st_length st_lengthsphere st_length2d st_linefrommultipoint st_lineinterpolatepoint st_linelocatepoint st_linemerge
st_linesubstring st_m st_makeenvelope st_makeline st_makepoint st_makepolygon st_memsize st_mmax st_mmin st_multi
st_ndims st_npoints st_nrings st_numgeometries st_numinteriorrings st_numpoints st_perimeter st_perimeter2d st_point
st_pointn st_points st_polygon st_project st_removepoint st_reverse st_scale st_segmentize st_setpoint st_setsrid
st_simplify st_srid st_startpoint st_symdifference st_touches st_transform st_translate st_union st_within st_x st_xmax
st_xmin st_y st_ymax st_ymin st_z st_zmax st_zmin
"""
FUNCTIONS: dict[str, tuple[str, ...]] = {
    page: tuple(names.split())
    for page, names in {
        "geospatial-functions.html": _GEOMETRY,
        "hyperloglog-functions.html": "hll hll_cardinality hll_combine hll_combine_sketches hll_create_sketch",
        "c_Array_Functions.html": """array array_concat array_contains array_distinct array_except array_flatten
            array_intersection array_position array_positions array_sort array_union arrays_overlap get_array_length
            split_to_array subarray""",
        "object-functions.html": "lower_attribute_names object object_transform upper_attribute_names",
        "c_Type_Info_Functions.html": """decimal_precision decimal_scale is_array is_bigint is_boolean is_char
            is_decimal is_float is_integer is_object is_scalar is_smallint is_varchar json_size json_typeof size""",
        "JSON-functions.html": "can_json_parse json_serialize_to_varbyte",
        "hash-functions.html": "checksum farmfingerprint64 farmhash64 fnv_hash md5 murmur3_32_hash sha sha1 sha2",
        "r_encryption_functions.html": "aes_decrypt aes_encrypt",
        "varbyte-functions.html": """from_hex from_varbyte to_hex to_varbyte varbyte getbit bit_count""",
        "c_bitwise_functions.html": "bit_count",
        "Date_functions_header.html": """age interval_cmp timeofday timestamp_cmp_timestamptz
            timestamptz_cmp_timestamp dateadd""",
        "String_functions_header.html": "collate octetindex text_to_int_alt text_to_numeric_alt",
        "c_Window_functions.html": "listagg ratio_to_report",
        "r_System_administration_functions.html": """change_query_priority change_session_priority change_user_priority
            current_setting pg_cancel_backend pg_terminate_backend reboot_cluster set_config""",
        "r_System_information_functions.html": """current_aws_account current_namespace current_schemas
            has_assumerole_privilege has_database_privilege has_schema_privilege has_table_privilege
            last_user_query_id pg_backend_pid pg_get_cols pg_get_grantee_by_iam_role pg_get_iam_role_by_user
            pg_get_late_binding_view_cols pg_get_session_roles pg_last_copy_count pg_last_copy_id pg_last_unload_count
            pg_last_unload_id pg_last_query_id role_is_member_of slice_num user_is_member_of""",
        "c_SQL_functions_leader_node_only.html": """factorial get_bit get_byte set_bit set_byte to_ascii
            isfinite localtime generate_series pg_timezone_names""",
    }.items()
}
"""Page -> names. Some of them exist here: what exists is called before anybody looks."""
NAMES = frozenset(name for names in FUNCTIONS.values() for name in names)
