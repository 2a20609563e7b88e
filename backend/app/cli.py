"""The command line: ``sales-agent demo | serve | worker | check | migrate | keys | knowledge | models``."""

import asyncio
import base64
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app import __version__, serving
from app.assistant.import_knowledge import preview, save_all
from app.checkup import Line, check_up
from app.core.config import Settings, load_settings
from app.core.errors import AppError, ConfigurationError
from app.core.logging_config import configure_logging_from
from app.i18n.language import Language, language_of_locale
from app.i18n.messages import message
from app.knowledge.entry import system_actor
from app.knowledge.importing.files import FileResult, files_in, read_file
from app.knowledge.library import Library, Saved
from app.knowledge.repository import KnowledgeRepository
from app.knowledge.starter_library import load_starter_library
from app.knowledge.tokens import Tokenizer
from app.llm.profiles import profiles_from
from app.llm.providers import PROVIDERS
from app.playground.demo_workspace import TEAM as PLAYGROUND_TEAM
from app.storage.database import Database
from app.storage.migrations import newest_revision, upgrade_to_newest

cli = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
keys = typer.Typer(help="Keys for encryption at rest.", no_args_is_help=True)
knowledge = typer.Typer(help="The knowledge base.", no_args_is_help=True)
models = typer.Typer(help="Language models.", no_args_is_help=True)
cli.add_typer(keys, name="keys")
cli.add_typer(knowledge, name="knowledge")
cli.add_typer(models, name="models")

console = Console(highlight=False, soft_wrap=True)

PORTS_TO_TRY = 20
FILES_AT_ONCE = 50
MOST_FILES_SHOWN = 40


def main() -> None:
    """The entry point. What an operator can mend is said in one line, without a trace."""
    try:
        cli()
    except AppError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"❌ {error}", markup=False)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


@cli.command()
def demo(
    port: Annotated[int | None, typer.Option(help="Port of the playground; without it the first free one from PORT on.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    days_later: Annotated[
        int, typer.Option(min=0, max=366, help="Playground only: pretend it is so many days later, to see reminders and returns.")
    ] = 0,
) -> None:
    """Everything in one process, with servers of its own: the playground, or the real Slack when its tokens are set."""
    settings = load_settings()
    if settings.is_production:
        raise ConfigurationError(_say("not_in_production"))
    serving.end_on_sigterm()
    with (
        serving.bind(host or settings.host, port or settings.port, tries=1 if port else PORTS_TO_TRY) as listening,
        ExitStack() as stack,
    ):
        with _step("starting_servers"):
            settings = stack.enter_context(serving.servers(settings))
        _migrate(settings)
        if settings.uses_playground:
            _seed_if_empty(settings, PLAYGROUND_TEAM)
        _serve_here(settings, listening, days_later=days_later if settings.uses_playground else 0)
    console.print(_say("stopped"))


@cli.command()
def serve(
    single: Annotated[bool, typer.Option("--single", help="One process without gunicorn.")] = False,
    workers: Annotated[int | None, typer.Option(help="Server processes; without it WORKERS.")] = None,
    bind: Annotated[str | None, typer.Option(help="host:port or unix:/path; without it HOST and PORT.")] = None,
    migrate_first: Annotated[
        bool | None, typer.Option("--migrate/--no-migrate", help="Migrate before serving; without it: except in production.")
    ] = None,
) -> None:
    """The application behind your own nginx: gunicorn with several processes."""
    settings = load_settings()
    serving.end_on_sigterm()
    needs_servers = any(serving.missing_servers(settings))
    with serving.servers(settings) as settings:
        if migrate_first if migrate_first is not None else not settings.is_production:
            _migrate(settings)
        if single:
            host, port = serving.host_and_port(bind) if bind else (settings.host, settings.port)
            with serving.bind(host, port) as listening:
                _serve_here(settings, listening)
            return
        if "WORKER_CONNECTIONS" in os.environ:
            console.print(_say("worker_connections_unused"))
        further = [f"--workers={workers}"] * bool(workers) + [f"--bind={bind}"] * bool(bind)
        command = serving.gunicorn_command(*further)
        if not needs_servers:
            serving.become_gunicorn(command)
        code = serving.supervise_gunicorn(command)
    raise typer.Exit(code)


@cli.command()
def worker() -> None:
    """Answers events without serving HTTP: for more machines on the same PostgreSQL."""
    settings = load_settings()
    configure_logging_from(settings)
    serving.end_on_sigterm()
    with serving.servers(settings, may_share=True) as settings:
        asyncio.run(serving.work_until_signal(settings, lambda: console.print(_say("working"))))


@cli.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    slack: Annotated[bool, typer.Option("--slack", help="Ask Slack whether the token and its scopes will do.")] = False,
) -> None:
    """Says in plain words what is missing. Exit code 1 when something is."""
    try:
        lines = asyncio.run(check_up(load_settings(), ask_slack=slack))
    except ConfigurationError as error:
        problems = str(error).split("; ")
        lines = [Line("settings", False, "operations.check.settings_failed", {"problem": problem}) for problem in problems]
    is_good = all(line.is_ok for line in lines)
    if as_json:
        parts = [
            {"part": line.part, "ok": line.is_ok, "message": message(line.key, Language.ENGLISH, **line.gaps)} for line in lines
        ]
        sys.stdout.write(json.dumps({"ok": is_good, "checks": parts}, ensure_ascii=False, indent=2) + "\n")
    else:
        for line in lines:
            console.print(("✅ " if line.is_ok else "❌ ") + message(line.key, _language(), **line.gaps), markup=False)
        console.print(message(f"operations.check.{'all_good' if is_good else 'something_missing'}", _language()))
    raise typer.Exit(0 if is_good else 1)


@cli.command()
def migrate() -> None:
    """Brings the database up to date: the one of DATABASE_URL, or the embedded one."""
    with serving.servers(load_settings(), may_share=True) as settings:
        _migrate(settings)
    console.print(_say("migrated", revision=newest_revision()))


@cli.command()
def version() -> None:
    """The version."""
    console.print(__version__)


@keys.command("new")
def new_key() -> None:
    """A fresh key for ENCRYPTION_KEYS. It is shown once and kept nowhere."""
    console.print(_say("new_key"))
    name = f"k{datetime.now(UTC):%Y%m%d}{secrets.token_hex(2)}"
    sys.stdout.write(f"ENCRYPTION_KEYS={name}:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")


Team = Annotated[str | None, typer.Option(help="Slack's id of the workspace, T…; without it SLACK_TEAM_ID, or the playground's.")]


@knowledge.command("import")
def import_knowledge(
    path: Annotated[Path, typer.Argument(exists=True)],
    team: Team = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be imported, and what cannot be.")] = False,
) -> None:
    """Puts files, or a folder of them, into the knowledge base. Importing again changes only what has changed.

    Markdown, text, CSV, HTML, PDF, DOCX, XLSX and PPTX. Exit code 1 when a file cannot be read, 2 when there is none.
    """
    files = files_in(path)
    if not files:
        raise ConfigurationError(message("imports.terminal.nothing_found", _language(), path=path))
    results: list[FileResult] = []

    async def bring(database: Database, library: Library, team_id: str) -> Saved:
        actor, saved = system_actor(team_id), Saved()
        with _progress(len(files)) as advance:
            for start in range(0, len(files), FILES_AT_ONCE):
                portion = files[start : start + FILES_AT_ONCE]
                read = [await read_file(file, root=path if path.is_dir() else path.parent) for file in portion]
                if dry_run:
                    saved += await preview(database, read, actor=actor)
                else:
                    saved += await save_all(database, library, read, actor=actor)
                results.extend(read)
                advance(len(portion))
        return saved

    with serving.servers(load_settings(), may_share=True) as settings:
        saved = asyncio.run(_with_library(settings, _team(settings, team), bring))
    _show_import(results, saved, path)
    if dry_run:
        console.print(message("imports.terminal.dry_run", _language()))
    raise typer.Exit(1 if any(result.problem for result in results) else 0)


@knowledge.command("seed")
def seed_knowledge(team: Team = None) -> None:
    """Loads the starter knowledge that comes with the product."""
    with serving.servers(load_settings(), may_share=True) as settings:
        saved = asyncio.run(_with_library(settings, _team(settings, team), _load_again))
    _report(saved)


@models.command("list")
def list_models() -> None:
    """The providers we know, and the profiles the settings make."""
    settings = load_settings()
    for kind in PROVIDERS:
        is_configured = kind.is_configured(settings)
        state = _say("configured") if is_configured else _say("not_configured", variable=kind.variable)
        console.print(f"{'✅' if is_configured else '・'} {kind.name}: {state}", markup=False)
    profiles = profiles_from(settings)
    for name, profile in sorted(profiles.by_name.items()):
        console.print(f"   {name} → {profile.key}", markup=False)


def _migrate(settings: Settings) -> None:
    assert settings.database_url is not None
    with _step("migrating"):
        upgrade_to_newest(settings.database_url.get_secret_value())


def _serve_here(settings: Settings, listening: socket.socket, *, days_later: int = 0) -> None:
    host, port = listening.getsockname()[:2]
    address = f"http://{'localhost' if host in {'127.0.0.1', '::1', '0.0.0.0'} else host}:{port}"  # noqa: S104

    def announce() -> None:
        key, page = ("ready", f"{address}/playground/") if settings.uses_playground else ("ready_slack", address)
        console.print(f"\n[bold]{_say(key, address=page)}[/bold]")
        console.print(_say("stop_with", folder=settings.data_directory) + "\n", markup=False)

    with _step("starting"):
        own_address = f"http://127.0.0.1:{port}" if settings.uses_playground else None
        app = serving.create_app(settings, own_address=own_address, days_later=days_later)
    if not serving.run_in_this_process(app, settings, listening, announce):
        raise ConfigurationError(_say("did_not_start"))


def _seed_if_empty(settings: Settings, team_id: str) -> None:
    with _step("seeding"):
        saved = asyncio.run(_with_library(settings, team_id, _load_if_empty))
    if saved.created:
        console.print("  " + _say("seeded", count=len(saved.created)))


async def _load_if_empty(database: Database, library: Library, team_id: str) -> Saved:
    async with database.reading() as session:
        has_entries = any((await KnowledgeRepository(session, team_id).count()).values())
    return Saved() if has_entries else await load_starter_library(library, team_id=team_id)


async def _load_again(_: Database, library: Library, team_id: str) -> Saved:
    return await load_starter_library(library, team_id=team_id)


async def _with_library(settings: Settings, team_id: str, work: Callable[[Database, Library, str], Awaitable[Saved]]) -> Saved:
    assert settings.database_url is not None
    database = await Database.open(settings.database_url.get_secret_value(), max_connections=2)
    try:
        return await work(database, Library(database, Tokenizer()), team_id)
    finally:
        await database.close()


def _team(settings: Settings, given: str | None) -> str:
    team_id = given or settings.slack_team_id or (PLAYGROUND_TEAM if settings.uses_playground else None)
    if not team_id:
        raise ConfigurationError(_say("team_unknown"))
    return team_id


def _report(saved: Saved) -> None:
    counts = {"created": len(saved.created), "changed": len(saved.changed), "unchanged": len(saved.unchanged)}
    console.print(_say("imported", **counts))


@contextmanager
def _progress(files: int) -> Iterator[Callable[[int], None]]:
    """A bar for people; nothing for a log."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(message("imports.terminal.reading", _language()), total=files)
        yield lambda count: bar.advance(task, count)


def _show_import(results: Sequence[FileResult], saved: Saved, root: Path) -> None:
    """What became of each file, the ones with problems first, then the sums."""

    def say(key: str, **gaps: Any) -> str:
        return message(f"imports.terminal.{key}", _language(), **gaps)

    created, changed = set(saved.created), set(saved.changed)
    table = Table(say("file"), say("created"), say("changed"), say("unchanged"), say("problem"))
    for result in sorted(results, key=lambda result: result.problem is None)[:MOST_FILES_SHOWN]:
        slugs = {draft.slug for draft in result.drafts}
        new, edited = len(slugs & created), len(slugs & changed)
        name = result.path.relative_to(root) if root.is_dir() else result.path.name
        problem = result.problem.told_in(_language()) if result.problem else ""
        table.add_row(escape(str(name)), str(new), str(edited), str(len(slugs) - new - edited), escape(problem))
    console.print(table)
    if len(results) > MOST_FILES_SHOWN:
        console.print(say("shortened", count=len(results) - MOST_FILES_SHOWN))
    broken = sum(result.problem is not None for result in results)
    counts = {"created": len(saved.created), "changed": len(saved.changed), "unchanged": len(saved.unchanged)}
    console.print(say("done", **counts, broken=broken))


@contextmanager
def _step(key: str) -> Iterator[None]:
    """Shows that something is going on, then that it is done and how long it took."""
    text, begun = _say(key), time.monotonic()
    with console.status(f"{text} …"):
        yield
    console.print(f"✓ {text} ({time.monotonic() - begun:.1f} s)", markup=False)


def _say(key: str, **gaps: Any) -> str:
    return message(f"operations.terminal.{key}", _language(), **gaps)


def _language() -> Language:
    """The terminal's language, else Japanese."""
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), None)
    return language_of_locale((locale or "").partition(".")[0]) or Language.JAPANESE
