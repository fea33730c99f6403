# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the plain bytes of any archive or dump file.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.dbops.recovery.plugins.module_utils._archive import codec
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError, os_error


def plain_bytes(path: str) -> Iterator[bytes]:
    """Yield a file's bytes decompressed, told by its content and not by its name. Raise RecoveryError."""
    try:
        with open(path, "rb") as file:
            compression = codec.detect(file.read(8))
            file.seek(0)
            yield from codec.decompressed(file, compression)
    except codec.DamagedStream as error:
        raise RecoveryError(f"{path} cannot be read to its end: {error}.") from error
    except OSError as error:
        raise os_error(f"{path} cannot be read", error) from error
