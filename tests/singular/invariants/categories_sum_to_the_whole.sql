-- One category per market: over its categories a wallet's observations, gains and losses are those of its whole score.
with by_category as (

    select
        wallet_address,
        period,
        sum(resolved_markets) as resolved_markets,
        sum(total_gains) as total_gains,
        sum(total_losses) as total_losses,
        sum(total_pnl) as total_pnl
    from {{ ref('wallet_scores_by_category') }}
    group by wallet_address, period

),

overall as (

    select * from {{ ref('wallet_scores') }}

),

differing as (

    select
        overall.wallet_address,
        overall.period,
        overall.total_pnl,
        by_category.total_pnl as total_pnl_of_categories
    from overall
    full outer join by_category
        on
            overall.wallet_address = by_category.wallet_address
            and overall.period = by_category.period
    where
        overall.total_pnl is distinct from by_category.total_pnl
        {%- if var('omega_unit') == 'market' %}
        -- An event can have markets of several categories; then its gain is one number overall and several in parts.
        or overall.resolved_markets is distinct from by_category.resolved_markets
        or overall.total_gains is distinct from by_category.total_gains
        or overall.total_losses is distinct from by_category.total_losses
        {%- endif %}

)

select * from differing
