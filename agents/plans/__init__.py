"""Plans: the order in which one chunk of one topic is sent, wave by wave, decided without touching the outside."""
