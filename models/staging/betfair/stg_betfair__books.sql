{{ venue_rows('betfair', 'books', {'market_number': 'market_id', 'status': 'status'}) }}
