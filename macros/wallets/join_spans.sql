{#- Lays stretches of time of each wallet's resource on a line and joins those that touch or overlap, as a query. The
    result is the same whatever the order, and whether or not a stretch is given twice: stretches that begin together
    are made one first, so that none stands beside its equal in an order of its own.
    Args: spans: name of the relation with the stretches. -#}
{% macro join_spans(spans) -%}
    select
        venue,
        wallet_address,
        resource,
        min(covered_from) as covered_from,
        max(covered_to) as covered_to,
        max(newest_item_at) as newest_item_at,
        min(first_started_at) as first_started_at,
        max(last_completed_at) as last_completed_at,
        max_by(last_duration_ms, last_completed_at) as last_duration_ms
    from (
        select
            *,
            sum(case when covered_from <= covered_before then 0 else 1 end) over (
                partition by venue, wallet_address, resource
                order by covered_from
                rows between unbounded preceding and current row
            ) as island
        from (
            select
                *,
                max(covered_to) over (
                    partition by venue, wallet_address, resource
                    order by covered_from
                    rows between unbounded preceding and 1 preceding
                ) as covered_before
            from (
                select
                    venue,
                    wallet_address,
                    resource,
                    covered_from,
                    max(covered_to) as covered_to,
                    max(newest_item_at) as newest_item_at,
                    min(first_started_at) as first_started_at,
                    max(last_completed_at) as last_completed_at,
                    max_by(last_duration_ms, last_completed_at) as last_duration_ms
                from {{ spans }}
                group by venue, wallet_address, resource, covered_from
            ) as stretches
        ) as on_a_line
    ) as islands
    group by venue, wallet_address, resource, island
{%- endmacro %}
