"""The shop's service: what systemd does on a real host, for a directory that no system service may touch.

    python service.py start|stop|restart|status

Serves the release behind .demo/application/current by gunicorn on 127.0.0.1, and returns when it answers.
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request

from places import APPLICATION, PORT, SERVICE, SERVICE_MARK, processes, stop

PATIENCE_SECONDS = 20


def url(path: str = "/") -> str:
    return f"http://127.0.0.1:{PORT.read_text(encoding='utf-8').strip()}{path}"


def start() -> None:
    current = APPLICATION / "current"
    if not current.exists():
        sys.exit("No release is deployed, so there is nothing to start.")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "--daemon",
            SERVICE_MARK,
            f"--chdir={current.resolve()}",
            f"--bind={url('').removeprefix('http://')}",
            "--workers=2",
            "--no-control-socket",
            f"--error-logfile={SERVICE}/error.log",
            f"--access-logfile={SERVICE}/access.log",
            "--capture-output",
            "shop.wsgi",
        ],
        check=True,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers():
        if time.monotonic() > deadline:
            sys.exit(f"The shop does not answer after {PATIENCE_SECONDS} s; see {SERVICE}/error.log")
        time.sleep(0.05)


def answers() -> bool:
    """Tell whether something is served; whether it is healthy is the deployment's question."""
    try:
        urllib.request.urlopen(url("/health"), timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def main(action: str) -> None:
    if action in ("stop", "restart"):
        stop(SERVICE_MARK)
    if action in ("start", "restart"):
        start()
    if action == "status":
        running = processes(SERVICE_MARK)
        print(f"running at {url()}" if running else "stopped")
        sys.exit(0 if running else 3)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("start", "stop", "restart", "status"):
        sys.exit(__doc__)
    main(sys.argv[1])
