"""calsync: keeps the meetings of a CRM and its users' Outlook calendars in step."""
