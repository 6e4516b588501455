"""Dead letters for operators: found, understood, rehearsed, replayed, edited, discarded, erased."""
