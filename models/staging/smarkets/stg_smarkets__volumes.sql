{{ venue_rows('smarkets', 'volumes', {'market_number': 'market_id', 'volume': 'volume'}) }}
