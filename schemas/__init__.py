"""What travels: models, events, commands, outcomes, cases, brand configuration, topics. Imports nothing of ours."""
