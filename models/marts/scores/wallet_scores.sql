{{ config(cluster_by=cluster_by(['period'])) }}

{{ score_wallets(by_category=false) }}
