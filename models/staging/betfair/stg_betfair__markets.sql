{{ venue_rows('betfair', 'markets', {'market_number': 'market_id'}) }}
