"""The calendar page."""

from __future__ import annotations

from flask import Blueprint

page = Blueprint("page", __name__, static_folder="static", static_url_path="/static/outlook")


@page.get("/")
def week() -> str:
    """Show a week."""
    return "soon"
