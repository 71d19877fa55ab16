-- Rows of a load that an incremental model passed over would be lost for good.
-- depends_on: {{ ref('int_source_entries') }}, {{ ref('trades') }}, {{ ref('int_polymarket_markets') }}
-- depends_on: {{ ref('int_polymarket_events') }}, {{ ref('int_dome_markets') }}, {{ ref('int_wallet_spans') }}
-- depends_on: {{ ref('int_run_loads') }}, {{ ref('int_position_totals') }}, {{ ref('price_snapshots') }}
{% set incremental_models = [
    'int_source_entries', 'trades', 'int_polymarket_markets', 'int_polymarket_events', 'int_dome_markets',
    'int_wallet_spans', 'int_run_loads', 'int_position_totals', 'price_snapshots',
] %}
{%- if 'kalshi' in price_venues() -%}
-- depends_on: {{ ref('int_kalshi_series') }}, {{ ref('int_kalshi_listed_events') }}
-- depends_on: {{ ref('int_kalshi_listed_markets') }}
{%- do incremental_models.extend(['int_kalshi_series', 'int_kalshi_listed_events', 'int_kalshi_listed_markets']) %}
{%- endif %}
{%- if 'predictit' in price_venues() -%}
-- depends_on: {{ ref('int_predictit_listed_markets') }}, {{ ref('int_predictit_listed_contracts') }}
{%- do incremental_models.extend(['int_predictit_listed_markets', 'int_predictit_listed_contracts']) %}
{%- endif %}
with loads as (

    select * from {{ ref('int_loads') }}

),

processed as (

    select * from {{ ref('int_processed_loads') }}

),

models as (
    {%- for model in incremental_models %}
    select '{{ model }}' as model
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}

),

missed as (

    select
        models.model,
        loads.venue,
        loads.load_id
    from models
    cross join loads
    left join processed
        on
            models.model = processed.model
            and loads.venue = processed.venue
            and loads.load_id = processed.load_id
    where processed.load_id is null

)

select * from missed
