{{ venue_rows('betfair', 'event_types', {'market_count': 'market_count'}) }}
