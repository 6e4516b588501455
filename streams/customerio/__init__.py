"""Customer.io over HTTP: thin clients, their errors, and the policy of attempts."""
