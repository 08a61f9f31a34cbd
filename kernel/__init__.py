"""What waits, tells the time, reads the log or counts goes through here: one seam each.

`kernel.clock` time, `kernel.log` the log (Kafka or in memory), `kernel.metrics` the closed set of metrics,
`kernel.logs` structured logs. Production code takes these as arguments; tests and the simulation hand in their own.
"""
