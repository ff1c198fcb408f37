"""Downloads in processes that can be killed: one process imports everything, and forks for each of them.

Each line on its standard input is a JSON object with `service` (the fields of a `Service`), `folder` and `params`; it
prints the fork's process id, and later its exit code.
"""

import json
import os
import sys
from pathlib import Path

from acquire_place import EVENT, run

from skred.acquire.params import DownloadParams
from skred.acquire.service import Service


def main():
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            run(Service(**job["service"]), Path(job["folder"]), EVENT, DownloadParams(**job["params"]))
            os._exit(0)
        tell(pid)
        _, status = os.waitpid(pid, 0)
        tell(os.waitstatus_to_exitcode(status))


def tell(number):
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
