import subprocess
import sys

PROGRAM = """
import gc, os
from knative_lambda.inbound.worker_memory import share_with_workers
share_with_workers()
before = gc.get_freeze_count()
child = os.fork()
if child == 0:
    os._exit(0 if gc.get_freeze_count() > before else 1)
_, status = os.waitpid(child, 0)
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


def test_a_worker_does_not_collect_what_its_master_had_loaded():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
