"""Tools that measure: tables, times, edges, patterns, pictures for cards, and the release."""
