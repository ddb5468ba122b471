"""
An app in Python asks Bucketline's workers for a listing, with BullMQ's own client.

    pip install bullmq
    python examples/enqueue.py my-bucket

Start a worker first (`npm start` prints the settings to export).
"""

import asyncio
import json
import os
import sys
import uuid

from bullmq import Queue

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
PREFIX = os.environ.get("BUCKETLINE_PREFIX", "bucketline")
POLL_SECONDS = 0.2

# What Bucketline's own producer asks for; ages in seconds.
JOB_OPTIONS = {
    "attempts": 5,
    "backoff": {"type": "bucketline"},
    "removeOnComplete": {"age": 24 * 3600, "count": 100_000},
    "removeOnFail": {"age": 7 * 24 * 3600, "count": 100_000},
}


class ActivityError(Exception):
    def __init__(self, fields):
        super().__init__(fields["message"])
        self.code = fields["code"]
        self.retryable = fields["retryable"]


async def enqueue(queue, data):
    """Adds a job; its id is made here, so that adding it again after a lost reply cannot make a second one."""
    job_id = str(uuid.uuid4())
    await queue.add(queue.name, data, {**JOB_OPTIONS, "jobId": job_id})
    return job_id


async def result(queue, job_id, timeout=30.0):
    """The result of a job, once it ended. Raises ActivityError, and TimeoutError where it takes longer."""
    key = f"{PREFIX}:{queue.name}:{job_id}"
    async with asyncio.timeout(timeout):
        while True:
            fields = ("timestamp", "finishedOn", "returnvalue", "failedReason", "error")
            created, finished, value, reason, error = await queue.client.hmget(key, *fields)
            if not created:
                raise ActivityError({"code": "JobExpired", "message": f"JobExpired: no job {key}", "retryable": False})
            if finished and value is not None:
                return json.loads(value)
            if finished:
                stored = json.loads(error) if error else None
                if stored and stored["message"] == reason:
                    raise ActivityError(stored)
                raise ActivityError({"code": "JobFailed", "message": f"JobFailed: {reason}", "retryable": False})
            await asyncio.sleep(POLL_SECONDS)


async def main(bucket):
    queue = Queue("list-objects", {"connection": REDIS_URL, "prefix": PREFIX})
    try:
        job_id = await enqueue(queue, {"bucket": bucket, "limit": 10})
        listing = await result(queue, job_id)
        # A list of more than 16 KiB is in the document store instead, as one JSON object a line.
        for entity in listing.get("objects", []):
            print(entity["key"], entity["size"])
        print(f"{listing['count']} objects")
    except ActivityError as error:
        print(error)
        sys.exit(1)
    finally:
        await queue.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/enqueue.py <bucket>")
    asyncio.run(main(sys.argv[1]))
