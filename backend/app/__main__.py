"""`python -m app` is `sales-agent`."""

from app.cli import main

main()
