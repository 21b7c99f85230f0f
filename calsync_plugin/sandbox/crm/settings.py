"""What an administrator or a test may set while the simulator runs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Settings:
    """Switches of the server. Where the real product has a default, that is the default here."""

    time_zone: str = "UTC"
    language: str = "en_US"
    # Where users reach the CRM; empty: where the request came to.
    site_url: str = ""
    # Seconds between two runs of the webhook queue: 120 in the product, 0 at once, None only when told.
    webhook_interval: float | None = 120
    webhook_portion: int = 20
    webhook_limit: int = 50
    # Whether assigned users are mailed, and of which entity types (EspoCRM's defaults, from its source).
    assignment_mail: bool = False
    assignment_mail_entities: list[str] = field(
        default_factory=lambda: ["Lead", "Opportunity", "Task", "Case"]
    )
    # user name -> the code that a second factor accepts
    two_factor: dict[str, str] = field(default_factory=dict)
    # user name -> how the code comes: enterTotpCode (as recorded), enterCodeSentInEmail or enterCodeSentBySms
    two_factor_messages: dict[str, str] = field(default_factory=dict)
