{{ score_metrics(by_category=false) }}
