"""What is counted: every number that the console shows, with its definition, day by day."""
