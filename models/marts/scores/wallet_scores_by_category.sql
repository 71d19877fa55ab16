{{ config(cluster_by=cluster_by(['category', 'period'])) }}

{{ score_wallets(by_category=true) }}
