"""What the admins of the four services share."""
