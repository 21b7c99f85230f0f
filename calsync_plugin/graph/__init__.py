"""Outlook's side: what is asked of Microsoft Graph, what its answers mean, and events as meetings."""
