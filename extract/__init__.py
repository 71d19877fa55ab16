"""The extractor: pages, paces, retries and stamps what the venues say. It decides nothing that SQL can decide."""
