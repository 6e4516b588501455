"""Steps: single decisions over plain data; the plans and the pipeline put them in order."""
