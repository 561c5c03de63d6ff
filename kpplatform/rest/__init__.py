"""What every door of the API shares: who asks, how often, what is sent, what a no looks like."""
