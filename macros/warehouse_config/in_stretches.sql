{#- The condition that a time lies in one of some stretches, in constants.
    Args:
        column: the time.
        stretches: as of time_stretches(); none: any time. -#}
{% macro in_stretches(column, stretches) -%}
    {%- if stretches is none -%} {{ return('true') }} {%- endif -%}
    {%- set conditions = [] -%}
    {%- for begins, ends in stretches -%}
        {%- if begins is none -%}
            {%- do conditions.append(column ~ ' is null') -%}
        {%- else -%}
            {%- set bounds = [] -%}
            {%- if begins >= '0002' -%} {%- do bounds.append(column ~ " >= timestamp '" ~ begins ~ "'") -%} {%- endif -%}
            {%- if ends < '9998' -%} {%- do bounds.append(column ~ " < timestamp '" ~ ends ~ "'") -%} {%- endif -%}
            {%- do conditions.append(bounds | join(' and ') or column ~ ' is not null') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return('((' ~ conditions | join(') or (') ~ '))' if conditions else 'false') }}
{%- endmacro %}
