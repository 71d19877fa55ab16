{{ config(cluster_by=clustering(['period'])) }}

{{ score_wallets(by_category=false) }}
