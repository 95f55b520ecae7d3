"""Early stopping: when to stop, and the weights of the best epoch."""
