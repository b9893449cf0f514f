"""Runs of Pronghorn that are killed, lose power and run out of disk, and must come out as if nothing had happened."""
