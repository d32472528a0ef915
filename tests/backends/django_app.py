"""Django, in one file: the settings, a view, and `application` for any server, gunicorn with `--preload` as well."""

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from segment import analytics

from engine import Engine

HEADINGS = {"hero": "Made for small teams"}
SITE = "https://www.example.com"  # as visitors see it, whatever stands in front of this program

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["www.example.com"], SECRET_KEY=os.environ["DJANGO_KEY"])
django.setup()
engine = Engine.from_environment(os.environ)  # one for the program; workers that are forked go on with it
analytics.write_key, analytics.host = os.environ["SEGMENT_WRITE_KEY"], os.environ["SEGMENT_HOST"]


def home(request: HttpRequest) -> HttpResponse:
    """The home page, with the heading that this visitor sees."""
    visitor, text = Engine.visitor(request.COOKIES, request.headers.get("Sec-GPC")), "Welcome"
    if visitor.id:  # nobody, if they opted out
        answer = engine.decide(
            visitor.id,
            url=SITE + request.get_full_path(),
            referrer=request.headers.get("Referer"),
            visit_count=visitor.visit_count,
            first_seen=visitor.first_seen,
        )
        if seen := answer.experience("homepage"):
            text = HEADINGS.get(seen.variant or "control", text)
            analytics.track(anonymous_id=visitor.anonymous_id, event=seen.track.event, properties=seen.track.properties)
    page = HttpResponse(format_html("<h1>{}</h1>", text))
    if visitor.id and visitor.is_new:
        page.set_cookie("mutiny_edge", visitor.id, max_age=400 * 86_400, secure=True, samesite="Lax")
    return page


urlpatterns = [path("", home)]
application = get_wsgi_application()
