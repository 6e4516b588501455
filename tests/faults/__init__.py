"""The fault test: real workers are killed, stopped and paused while Customer.io fails, then every trace is audited."""
