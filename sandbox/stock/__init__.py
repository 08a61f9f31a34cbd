"""What was sold against what could still be sent: judged over Shopify's and Clarus' stock together."""
