"""Measures calsync against floors that are taken in the same run: `python -m bench` or `make bench`.

A floor is the least that the work can cost: the raw driver, a loop that keeps no state, the service's own
limits. Machines differ and are never quiet; ratios to a floor measured a moment before travel better than
figures.
"""
