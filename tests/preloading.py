"""Imported by the server of forked.py before it forks."""

from config.supervision import forking

forking.preload()
