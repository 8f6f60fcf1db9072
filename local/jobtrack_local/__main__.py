"""`python -m jobtrack_local`: the commands of the local service, without the client's commands."""

import typer

from jobtrack_client.commands.output import replace_unprintable
from jobtrack_local import cli


def main() -> None:
    """Run the command line."""
    replace_unprintable()
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
    cli.commands(app)
    app(prog_name="python -m jobtrack_local")


if __name__ == "__main__":
    main()
