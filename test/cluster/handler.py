"""Runs the CDK's own kubectl handler for one event, which it reads from its input, where there is no AWS.

handler.py FOLDER: the folder with the handler. Its answer goes to $TEST_OUTDIR/answer.json; the handler knows this variable as the
folder for its files. `aws eks update-kubeconfig` becomes a copy of $KUBECONFIG, and `boto3`, which tells the partition of a region
before the login to a registry, knows none, so that there is no login.
"""
import json
import logging
import os
import shutil
import subprocess
import sys
import types

run_command = subprocess.check_call


def check_call(command, *arguments, **options):
    if command[:3] != ['aws', 'eks', 'update-kubeconfig']:
        return run_command(command, *arguments, **options)
    shutil.copy(os.environ['KUBECONFIG'], command[command.index('--kubeconfig') + 1])
    return 0


class Session:
    def get_partition_for_region(self, region):
        return None


logging.basicConfig(stream=sys.stderr)
subprocess.check_call = check_call
sys.dont_write_bytecode = True
sys.modules['boto3'] = types.ModuleType('boto3')
sys.modules['boto3'].Session = Session
sys.path.insert(0, sys.argv[1])
import index  # noqa: E402, the handler itself

answer = index.handler(json.load(sys.stdin), None)
with open(os.path.join(os.environ['TEST_OUTDIR'], 'answer.json'), 'w') as file:
    json.dump(answer or {}, file)
