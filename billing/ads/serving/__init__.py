"""What competes at this moment, kept in this process."""
