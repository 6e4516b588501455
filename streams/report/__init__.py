"""`cio-streams report`: what the warehouse's views say, as tables, data and one page."""
