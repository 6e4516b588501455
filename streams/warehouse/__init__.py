"""What Customer.io reported and what we sent, as tables that can be asked: the loader, its engines, the views."""
