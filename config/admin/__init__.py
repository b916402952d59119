"""The parts that the admins of the four services share."""
