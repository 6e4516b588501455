"""A stand-in for Customer.io on this machine: it answers like the Track API, and it never calls anybody."""
