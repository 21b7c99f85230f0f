"""Use cases about accounts, called by pages, the command line and the API alike."""
