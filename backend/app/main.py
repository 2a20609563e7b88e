"""The web application: middleware, routes, and the lifespan that opens and closes the services.

``create_app`` reads the settings and stops at once when one is wrong; everything that holds a connection is opened inside the
lifespan, so after a server has forked.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI
from pydantic import SecretStr
from starlette.routing import Mount
from starlette.types import Scope

from app.cache.limits import Limits
from app.composition import Services, open_services
from app.core.clock import ShiftedClock, SystemClock
from app.core.config import Settings, SlackMode, load_settings
from app.core.lifecycle import Lifecycle
from app.core.logging_config import configure_logging_from
from app.core.probe import Probe
from app.http.errors import install_error_handlers
from app.http.routes import build_http_routes
from app.jobs.work import working
from app.llm.profiles import has_model
from app.middleware.stack import build_middleware
from app.playground.app import Playground
from app.playground.demo_workspace import BOT_TOKEN
from app.slack.commands import COMMANDS
from app.slack.listeners.make_knowledge import MAKE_SHORTCUT


def create_app(
    settings: Settings | None = None, *, playground_address: str | None = None, ahead: timedelta = timedelta()
) -> FastAPI:
    """The application. ``playground_address``: serve the playground too, with this process' own address for its events.

    ``ahead``: how far the playground's and the application's clocks run ahead of the machine's.
    """
    settings = settings or load_settings()
    configure_logging_from(settings)
    lifecycle, probes = Lifecycle(SystemClock()), list[Probe]()
    is_production = settings.is_production

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            _playground(app, settings, lifecycle, playground_address, ahead) as effective,
            open_services(effective, clock=ShiftedClock(ahead)) as services,
        ):
            app.state.limits = services.limits
            probes.extend(services.probes)
            app.router.routes[:0] = services.slack_routes  # asked first: Slack waits for its acknowledgement
            app.router.routes.extend(services.console.routes())
            async with _at_work(services):
                yield
                lifecycle.is_draining = True

    app = FastAPI(
        title=settings.app_name,
        version=settings.app_version,
        docs_url=None if is_production else "/docs",
        redoc_url=None,
        openapi_url=None if is_production else "/openapi.json",
        middleware=build_middleware(settings, _limits_of, exempt_from_limits=("/playground",)),
        lifespan=lifespan,
    )
    app.state.lifecycle = lifecycle
    install_error_handlers(app)
    app.include_router(build_http_routes(settings, probes=probes, lifecycle=lifecycle))
    return app


@asynccontextmanager
async def _at_work(services: Services) -> AsyncIterator[None]:
    if not services.settings.jobs_in_server:
        yield
        return
    async with working(services):
        yield


@asynccontextmanager
async def _playground(
    app: FastAPI, settings: Settings, lifecycle: Lifecycle, own_address: str | None, ahead: timedelta
) -> AsyncIterator[Settings]:
    """The settings the application runs with: as given, or those of an app installed in the playground's small Slack."""
    if own_address is None:
        yield settings
        return
    secret = secrets.token_hex(16)
    playground = Playground(
        app_base_url=own_address,
        signing_secret=secret,
        data_directory=settings.data_directory,
        commands={command.name: command.summary_key for command in COMMANDS},
        shortcuts={MAKE_SHORTCUT: "imports.make.title"},
        is_offline=not has_model(settings),
        is_draining=lambda: lifecycle.is_draining,
    )
    playground.slack.clock.advance(ahead.total_seconds())
    await playground.start()
    app.router.routes.append(Mount("/playground", playground.page))
    try:
        yield settings.model_copy(
            update={
                "slack_bot_token": SecretStr(BOT_TOKEN),
                "slack_signing_secret": SecretStr(secret),
                "slack_api_url": playground.api_url,
                "slack_mode": SlackMode.HTTP,
            }
        )
    finally:
        await playground.close()


def _limits_of(scope: Scope) -> Limits | None:
    return getattr(scope["app"].state, "limits", None)


def __getattr__(name: str) -> FastAPI:
    """``app.main:app``, as servers ask for it: built when it is asked for, so that importing this module does nothing."""
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = application = create_app()
    return application
