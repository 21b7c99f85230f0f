"""A stand-in for EspoCRM 9.2.7: its REST API and webhooks as measured, a calendar page, and controls for tests."""
