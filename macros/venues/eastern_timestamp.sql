{#- A text with US Eastern time and no offset, as UTC. Engines disagree about the hour that occurs twice in autumn, so that
    both readings of the text are tried: the one at which clocks in New York show it; of two, the one nearer to `near`. An
    hour that clocks leave out in spring is read as winter time.
    Args: near: UTC time at which the text was read. -#}
{% macro eastern_timestamp(text, near) -%}
    {%- set shown = parse_timestamp(text) -%}
    {%- set summer = timestamp_plus_seconds(shown, 4 * 3600) -%}
    {%- set winter = timestamp_plus_seconds(shown, 5 * 3600) -%}
    case
        when {{ eastern_clock(summer) }} = {{ shown }} and {{ eastern_clock(winter) }} = {{ shown }}
            then
                case
                    when {{ near }} < {{ timestamp_plus_seconds(shown, 4 * 3600 + 1800) }} then {{ summer }}
                    else {{ winter }}
                end
        when {{ eastern_clock(summer) }} = {{ shown }} then {{ summer }}
        else {{ winter }}
    end
{%- endmacro %}
