{{ score_metrics(by_category=true) }}
