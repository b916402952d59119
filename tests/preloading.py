"""What the server of forked.py imports before it forks."""

from config.supervision import forking

forking.preload()
