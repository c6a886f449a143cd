"""What tests of the server need to read."""

from typing import Any

from fastapi.routing import iter_route_contexts


def events(client: Any, url: str) -> str:
    """All that a stream of events told, until it ended."""
    with client.stream("GET", url) as answer:
        return "".join(answer.iter_text())


def routes_of(app: Any) -> set[tuple[str, str]]:
    """Methods and paths of all its routes, those of routers in it too."""
    return {
        (method, context.path)
        for context in iter_route_contexts(app.routes)
        for method in getattr(context, "methods", None) or ["GET", "POST"]
    }
