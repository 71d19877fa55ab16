{{ venue_rows('smarkets', 'events', {'event_number': 'id', 'state': 'state'}) }}
