"""The demo: a whole day on a laptop. Real Kafka, real processes, a sandbox Shopify and Clarus, Tryton or a sandbox ERP.

`scenario` who plays; `outside` the outside world; `processes` ours; `report` the verdict, from the outside world's
books alone; `board` what the terminal shows; `play` puts them together.
"""
