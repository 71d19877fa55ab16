{% materialization view, adapter='duckdb' %}
    {{ return(duckdb_replace('view')) }}
{% endmaterialization %}
