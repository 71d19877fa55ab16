{{ venue_rows('smarkets', 'quotes', {'contract_number': 'contract_id', 'market_number': 'market_id'}) }}
