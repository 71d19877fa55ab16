{% materialization table, adapter='duckdb' %}
    {{ return(duckdb_replace('table')) }}
{% endmaterialization %}
