"""What a release resolves from the configuration: carrier and service, priority, instructions, product codes."""
