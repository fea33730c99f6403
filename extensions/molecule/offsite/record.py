"""Write down what the scheduled run gets, and fail when a file says so."""

import json
import os
import pathlib
import pwd
import sys

pathlib.Path("/srv/100% of the night/record.json").write_text(
    json.dumps(
        {
            "arguments": sys.argv,
            "directory": os.getcwd(),
            "user": pwd.getpwuid(os.getuid()).pw_name,
            "nice": os.nice(0),
            "environment": {name: value for name, value in os.environ.items() if name.startswith("SHOP_")},
        }
    )
)
if os.path.exists("fail"):
    sys.exit("The store s3://backups/nightly cannot be reached")
