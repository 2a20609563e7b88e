"""The order in which a request passes the middleware, from the outside in."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.core.config import Settings
from app.middleware.access_log import AccessLog
from app.middleware.allowed_hosts import AllowedHosts
from app.middleware.body_size import BodySizeLimit
from app.middleware.rate_limit import LimiterOf, RateLimit, parse_rules
from app.middleware.request_id import RequestId
from app.middleware.security_headers import SecurityHeaders

MOST_BODY_BYTES = 1_048_576
IMPORT_PATH = "/console/knowledge/import"
MOST_IMPORT_BYTES = 64 * 1024 * 1024
LARGER_BODIES = {IMPORT_PATH: MOST_IMPORT_BYTES, "/playground/upload": 32 * 1024 * 1024}
SLACK_ROUTES = "/api/v1/slack/"
LIMITED_ROUTES = ("/api/", "/v1/", "/metrics", "/health/detailed", "/console")
PROBED_PATHS = frozenset(
    f"{prefix}/health{part}" for prefix in ("", "/api", "/api/v1") for part in ("", "/live", "/ready")
)  # fmt: skip


def build_middleware(settings: Settings, limiter_of: LimiterOf, *, exempt_from_limits: tuple[str, ...] = ()) -> list[Middleware]:
    """For ``FastAPI(middleware=…)``, which is built before the services are open.

    ``limiter_of`` finds the limiter when a request comes, such as ``lambda scope: scope["app"].state.limits``;
    ``exempt_from_limits`` are further prefixes, such as the playground's own.
    """
    stack = [
        Middleware(RequestId),
        Middleware(AccessLog, quiet_paths=PROBED_PATHS),
        Middleware(SecurityHeaders),
        Middleware(AllowedHosts, hosts=settings.allowed_hosts, open_paths=PROBED_PATHS),
        Middleware(BodySizeLimit, most_bytes=MOST_BODY_BYTES, larger=LARGER_BODIES),
        Middleware(
            RateLimit, limiter_of=limiter_of, rules=parse_rules(settings.api_rate_limit), limited=LIMITED_ROUTES,
            exempt=(SLACK_ROUTES, *exempt_from_limits), exempt_paths=PROBED_PATHS,
        ),
    ]  # fmt: skip
    if settings.cors_origins:
        stack.append(
            Middleware(
                CORSMiddleware, allow_origins=list(settings.cors_origins), allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "X-API-Key", "Content-Type", "X-Request-ID"], max_age=600,
            )
        )  # fmt: skip
    return stack
