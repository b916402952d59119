"""Imported by the server of forked.py before it forks."""

from config.supervision import forking, process

# `up` imports its own part of what it shares with the supervisor.
forking.preload((*process.PRELOADED, "config.supervision.utility"))
