"""The event log folded again, beside the running flow: compared with the tables (`verify`), or made into new ones
(`rebuild`). Nothing here writes to an outside system or sends a command.
"""
