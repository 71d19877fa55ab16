{{ venue_rows('smarkets', 'markets', {'market_number': 'id', 'event_number': 'event_id', 'state': 'state'}) }}
