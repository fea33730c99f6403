"""Two ways to the store that runs here: by one it is busy now and then, by the other its answers come slowly."""

import time
from pathlib import Path

from weak_network import WeakNetwork

busy = WeakNetwork(8333, (Path("/etc/ssl/private/store1.pem"), Path("/etc/ssl/certs/store.pem")), ("", 8335))
busy.refuse = [None, 500, None, 503] * 1000
slow = WeakNetwork(8333, listen=("", 8336))
slow.pace = 50_000
said = 0
with busy, slow:
    while True:
        time.sleep(0.2)
        for status in busy.refused[said:]:
            print(status, flush=True)
            said += 1
