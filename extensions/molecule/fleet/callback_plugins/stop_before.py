"""Hold a run before one of its tasks, as a debugger would: that is when a test lets something go wrong."""

import os
import signal

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "stop_before"

    def v2_playbook_on_task_start(self, task, is_conditional):
        # Once: a task of that name may come again on the way back.
        if task.name == os.environ.get("STOP_BEFORE"):
            del os.environ["STOP_BEFORE"]
            os.kill(os.getpid(), signal.SIGSTOP)
