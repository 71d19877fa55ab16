{{ venue_rows('smarkets', 'last_prices', {
    'contract_number': 'contract_id',
    'market_number': 'market_id',
    'last_executed_price': 'last_executed_price',
}) }}
