{{ config(cluster_by=clustering(['category', 'period'])) }}

{{ score_wallets(by_category=true) }}
