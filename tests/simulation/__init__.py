"""The seeded simulation: whole fleets on a loop of virtual time, the real parts of workers, a scripted outside."""
