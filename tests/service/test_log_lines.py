"""Whatever goes wrong in the process of the service is one JSON object on one line of its log."""

from __future__ import annotations

import json
import sys
from subprocess import run

FAILING = """
import asyncio, gc, logging.config, threading, warnings
import uvloop
from foldin.service.logs import LOGGING, log_uncaught_errors

logging.config.dictConfig(LOGGING)
log_uncaught_errors()

async def fail_in_a_task():
    raise ValueError("task")

def fail(where):
    raise ValueError(where)

class Failing:
    def __del__(self):
        fail("destructor")

async def fail_everywhere():
    loop = asyncio.get_running_loop()
    task = loop.create_task(fail_in_a_task())
    loop.call_soon(fail, "callback")
    await asyncio.sleep(0.01)
    del task
    gc.collect()

for factory in (asyncio.new_event_loop, uvloop.new_event_loop):
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(fail_everywhere())
thread = threading.Thread(target=fail, args=("thread",), name="failing")
thread.start()
thread.join()
warnings.warn("warning")
logging.getLogger("uvicorn.error").error("Exception in ASGI application\\n", exc_info=ValueError("request"))
Failing()
"""


def test_every_uncaught_error_is_one_json_line() -> None:
    ended = run([sys.executable, "-c", FAILING], capture_output=True, text=True, check=True, timeout=60)
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert ended.stdout == ""
    assert [(line["level"], last_line(line)) for line in lines] == [
        *[("error", "ValueError: callback"), ("error", "ValueError: task")] * 2,
        ("error", "ValueError: thread"),
        ("warning", "<string>:33: UserWarning: warning"),
        ("error", "ValueError: request"),
        ("error", "ValueError: destructor"),
    ]


def last_line(line: dict[str, str]) -> str:
    return line.get("error", line["message"]).strip().splitlines()[-1].strip()
