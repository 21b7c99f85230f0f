"""When somebody is free, and giving that time away: what pages, API, command line and hosts call.

Everything is served from the store; nothing here knows how it was read, nor what the planner does with
meetings.
"""
