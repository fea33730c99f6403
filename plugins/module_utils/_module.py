# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The edge between Ansible and the actions: the only place that calls exit_json and fail_json.

Private to the collection.
"""

from __future__ import annotations

import select
import signal
import threading
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dbops.recovery.plugins.module_utils import _progress, _signals
from ansible_collections.dbops.recovery.plugins.module_utils._errors import RecoveryError
from ansible_collections.dbops.recovery.plugins.module_utils._threads import start_beside

_STDOUT = 1


def run_module(action: Callable[[dict, bool], dict], argument_spec: dict, **constraints: Any) -> None:
    """Run one action as an Ansible module and exit.

    Args:
        action: called with the options and whether this is check mode; returns the module's result (with "changed";
            "warnings" are shown as Ansible's) or raises RecoveryError.
        argument_spec: as AnsibleModule takes it.
        constraints: required_if and the like, as AnsibleModule takes them.
    """
    module = AnsibleModule(argument_spec=argument_spec, supports_check_mode=True, **constraints)
    _signals.heed()
    start_beside(_watch_for_hang_up)
    try:
        with _progress.noted((module._name or "").rpartition(".")[2]):
            result = action(module.params, module.check_mode)
    except RecoveryError as error:
        _warn(module, error.result)
        module.fail_json(msg=str(error), **error.result)
    _warn(module, result)
    module.exit_json(**result)


def _warn(module: AnsibleModule, result: dict) -> None:
    for warning in result.pop("warnings", ()):
        module.warn(warning)


def _watch_for_hang_up() -> None:
    # Without a terminal between, nobody tells a module that the playbook was ended or its connection lost. Its result
    # goes to a pipe, though, and that has no reader any more then.
    output = select.poll()
    output.register(_STDOUT, 0)
    if any(event & (select.POLLERR | select.POLLHUP) for _descriptor, event in output.poll()):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGHUP)
