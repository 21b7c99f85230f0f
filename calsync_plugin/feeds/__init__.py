"""Calendars behind iCalendar addresses (.ics): when their owners are busy, and nothing else of them.

Knows neither the store nor Outlook. `reading` is the way in. This module imports nothing: what expands a
calendar runs in a small process of its own.
"""
