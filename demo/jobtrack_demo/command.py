"""The command `jobtrack demo`. It imports its packages when it runs, so that the other commands start fast."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

Input = Annotated[Path | None, typer.Option("--input", help="Event log: CSV, plain, .gz or .zip. [default: flights]")]
Case = Annotated[str | None, typer.Option(help="Column with the case id.")]
Activity = Annotated[str | None, typer.Option(help="Column with the activity; several columns as a,b.")]
Time = Annotated[str | None, typer.Option(help="Column with ISO 8601 times.")]
Once = Annotated[bool, typer.Option("--once", help="Exit when the job ends; the code is 0 only if all counts agree.")]
Fast = Annotated[bool, typer.Option("--fast", help="Run the job without pauses, instead of for about half a minute.")]
Port = Annotated[int | None, typer.Option(help="Port of the service. [default: a free one]", min=1, max=65535)]
Engine = Annotated[str | None, typer.Option(help="Engine of the service, as for serve.")]
Data = Annotated[Path | None, typer.Option(help="Folder to keep the data in. [default: a temporary folder]")]
Out = Annotated[Path | None, typer.Option(help="Folder for the report. [default: a temporary one]")]


def demo(
    log: Input = None,
    case: Case = None,
    activity: Activity = None,
    time: Time = None,
    once: Once = False,
    fast: Fast = False,
    port: Port = None,
    engine: Engine = None,
    data: Data = None,
    out: Out = None,
) -> None:
    """Serve, run a sample job (process mining of an event log) and show it live."""
    from jobtrack_client import JobTrackError
    from jobtrack_client.commands.errors import failure
    from jobtrack_client.commands.output import console
    from jobtrack_demo.children import Interruption
    from jobtrack_demo.miner.source import InputError, chosen
    from jobtrack_demo.session import Options, run
    from jobtrack_local.errors import LocalError

    interruption = Interruption()
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(ending, interruption)
    try:
        source = chosen(log, case, activity, time)
        right = run(Options(source, once, fast, port, engine, data, out), console())
    except (LocalError, InputError, JobTrackError) as error:
        raise failure(str(error)) from error
    except KeyboardInterrupt:
        sys.exit(130 if once else 0)
    sys.exit(0 if right else 1)
