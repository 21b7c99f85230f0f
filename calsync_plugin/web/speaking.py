"""The language of a page: which one it is, and how sentences, days and moments are said in it.

Decides the language: what the visitor chose in this browser, else the CRM's word, else the browser's, else
English. What programs read is English always. Chooses no words: they stand in `translations/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path

from babel import Locale, dates, numbers
from babel.core import negotiate_locale
from babel.support import NullTranslations
from flask import Flask, Request, flash, request
from flask_babel import Babel, get_domain, get_locale
from flask_login import current_user
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from calsync_plugin.wording import Wording

TRANSLATIONS = Path(__file__).with_name("translations")
PROGRAMS = ("/webhooks", "/api/", "/healthz", "/readyz", "/metrics")
"""Addresses that programs ask."""
COOKIE = "calsync_language"
ENGLISH = "en"
LANGUAGES = (
    ENGLISH,
    *sorted(one.parent.parent.name for one in TRANSLATIONS.glob("*/LC_MESSAGES/messages.mo")),
)

# English is written as it was before there were other languages; the others as the CLDR has them.
_ENGLISH = {"moment": "EEE d MMM y, HH:mm", "day": "dd MMM y", "long": "dd MMMM y", "weekday": "EEE dd MMM"}
_SKELETONS = {"weekday": "MMMEd", "moment": "yMMMEd"}
_LENGTHS = {"day": "medium", "long": "long"}


def set_up_speaking(app: Flask) -> None:
    """Let the pages of `app` speak their visitors' languages."""
    Babel(app, locale_selector=language, default_translation_directories=str(TRANSLATIONS))
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.finalize = _finalized
    # Babel's own would put numbers and wordings in as they are.
    app.jinja_env.globals.update(_=_in_template, gettext=_in_template, ngettext=_in_template_by_number)
    app.jinja_env.filters.update(say=say, day=lambda value, form="day": day(value, form), clock=clock)
    app.jinja_env.globals.update(language=language, languages=names)


def language() -> str:
    """The language of this request."""
    if request.path.startswith(PROGRAMS):
        return ENGLISH
    known = _chosen(request) or _of_visitor() or request.accept_languages.best_match(LANGUAGES)
    return known or ENGLISH


def names() -> dict[str, str]:
    """What each language calls itself."""
    return {one: str(Locale.parse(one).get_display_name(one)).capitalize() for one in LANGUAGES}


def _chosen(sent: Request) -> str:
    chosen = sent.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else ""


def _of_visitor() -> str:
    """The language that the CRM told, such as `de_DE`."""
    told = current_user.language if current_user.is_authenticated else ""
    return negotiate_locale([told], LANGUAGES) or "" if told else ""


def say(text: str) -> str:
    """A sentence in the page's language; what is no `Wording` stays as it is."""
    if not isinstance(text, Wording) or _locale().language == ENGLISH:
        return text
    known: NullTranslations = get_domain().get_translations()
    if text.plural:
        message = known.ngettext(text.message, text.plural, text.number)
    elif text.context:
        message = str(known.pgettext(text.context, text.message))
    else:
        message = known.gettext(text.message)
    return message % {name: _value(value) for name, value in text.values.items()} if text.values else message


def tell(text: str, category: str) -> None:
    """Say a sentence on the next page."""
    flash(say(text), category)


def translated(message: str) -> str:
    """A message of the catalogue that is no `Wording`, such as a title of a schema."""
    return say(Wording(message)) if message else ""


def day(value: date, form: str = "day") -> str:
    """A day: `day`, `long` with the month's whole name, or `weekday` without the year."""
    locale = _locale()
    if locale.language == ENGLISH:
        return dates.format_date(value, _ENGLISH[form], locale)
    if form in _LENGTHS:
        return dates.format_date(value, _LENGTHS[form], locale)
    return dates.format_skeleton(_SKELETONS[form], value, locale=locale)


def moment(local: datetime) -> str:
    """Day and time of a moment, as the clock shows it in the zone of `local`."""
    locale = _locale()
    if locale.language == ENGLISH:
        return dates.format_datetime(local, _ENGLISH["moment"], tzinfo=local.tzinfo, locale=locale)
    begins = dates.format_skeleton(_SKELETONS["moment"], local, tzinfo=local.tzinfo, locale=locale)
    return f"{begins}, {dates.format_time(local, 'short', tzinfo=local.tzinfo, locale=locale)}"


def weekday(local: datetime) -> str:
    """The short name of a day of the week."""
    return dates.format_datetime(local, "EEE", tzinfo=local.tzinfo, locale=_locale())


def amount(value: float, digits: int) -> str:
    """A number with so many digits behind the point."""
    form = "#,##0." + "0" * digits if digits else "#,##0"
    return numbers.format_decimal(value, form, locale=_locale())


def clock(local: datetime | time) -> str:
    """The time of a day."""
    locale = _locale()
    form = "HH:mm" if locale.language == ENGLISH else "short"
    return dates.format_time(local, form, tzinfo=local.tzinfo, locale=locale)


def _value(value: object) -> str:
    if isinstance(value, date):
        return day(value, "long")
    if isinstance(value, tuple):
        return ", ".join(_value(one) for one in value)
    if isinstance(value, int) and _locale().language != ENGLISH:
        return amount(value, 0)
    return say(value) if isinstance(value, str) else str(value)


@pass_context
def _in_template(context: Context, message: str, /, **values: object) -> str:
    """What `_` and `trans` of a template say; its values are escaped."""
    return _filled(context, get_domain().get_translations().gettext(message), values)


@pass_context
def _in_template_by_number(
    context: Context, singular: str, plural: str, num: int, /, **values: object
) -> str:
    known: NullTranslations = get_domain().get_translations()
    return _filled(context, known.ngettext(singular, plural, num), {"num": num, **values})


def _filled(context: Context, message: str, values: Mapping[str, object]) -> str:
    # The tags are the catalogue's, which a test holds to the templates'; values are escaped.
    text = Markup(message) if context.eval_ctx.autoescape else message  # noqa: S704
    return text % {
        name: value if isinstance(value, Markup) else _value(value) for name, value in values.items()
    }


def _finalized(value: object) -> object:
    """What a template shows."""
    return say(value) if isinstance(value, Wording) else value


def _locale() -> Locale:
    return get_locale() or Locale(ENGLISH)
