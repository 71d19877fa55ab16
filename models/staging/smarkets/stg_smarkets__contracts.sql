{{ venue_rows('smarkets', 'contracts', {
    'contract_number': 'id',
    'market_number': 'market_id',
    'state_or_outcome': 'state_or_outcome',
}) }}
