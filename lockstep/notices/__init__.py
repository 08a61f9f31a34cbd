"""Cases told to people where they work: by signed webhook when one opens, goes up or closes, and in a daily digest."""
