"""A worker that takes the Architect's tasks, on Python's standard library alone.

    SWARM_TOKEN=… AGENT_NAME=scribe python3 examples/python/worker.py

It registers over plain HTTP, proves with heartbeats that it lives, claims what is assigned to it, answers, and shows
/health. Everything it needs of the swarm is in the class Swarm; what it can do is in HANDLERS.
"""

import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

URL = os.environ.get("SWARM_URL", "http://127.0.0.1:7700")
JOIN_TOKEN = os.environ.get("SWARM_TOKEN", "")
NAME = os.environ.get("AGENT_NAME", "scribe")
HEALTH_PORT = os.environ.get("HEALTH_PORT")
HEALTH_HOST = os.environ.get("HEALTH_HOST", "127.0.0.1")

# How long an assignment is this process's own before it is delivered again, and how long a claim waits, in milliseconds.
ACK_DEADLINE_MS = 600_000
CLAIM_WAIT_MS = 20_000


# --- What it can do -------------------------------------------------------------------------------------------------


def text_of(task):
    """What a task is about: the results of the tasks before it, or else its own input."""
    given = list(task["dependencies"].values()) or [task["input"] or task["title"]]

    def plain(value):
        if isinstance(value, dict):
            return " ".join(plain(part) for part in value.values())
        if isinstance(value, list):
            return " ".join(plain(part) for part in value)
        return "" if value is None else str(value)

    return " ".join(plain(value) for value in given)


def write(task):
    """A document out of what the tasks before it gave."""
    body = text_of(task).strip()
    return {"title": task["title"], "document": f"# {task['title']}\n\n{body}\n"}


def review(task):
    """Says what is hard to read in a text."""
    sentences = [part.strip() for part in text_of(task).replace("!", ".").replace("?", ".").split(".")]
    remarks = [f"long sentence: {s[:60]}…" for s in sentences if len(s.split()) > 25]
    return {"approved": not remarks, "remarks": remarks}


def summarize(task):
    """The first words of a text."""
    words = text_of(task).split()
    return {"summary": " ".join(words[:40]) + ("…" if len(words) > 40 else "")}


HANDLERS = {"write": write, "review": review, "summarize": summarize}
CAPABILITIES = [
    {"id": "write", "description": "Writes a document.", "tags": ["document", "note", "report", "draft"]},
    {"id": "review", "description": "Reviews a text.", "tags": ["check", "feedback", "proofread"]},
    {"id": "summarize", "description": "Shortens a text to its first words.", "tags": ["summary", "summarise", "shorten"]},
]


# --- The swarm over plain HTTP --------------------------------------------------------------------------------------


class Refused(Exception):
    """The core said no, in problem details (RFC 9457), or did not answer (code UNAVAILABLE)."""

    def __init__(self, problem):
        super().__init__(problem.get("detail", "refused"))
        self.code = problem.get("code", "UNAVAILABLE")
        self.retryable = problem.get("retryable", False)
        self.retry_after = problem.get("retryAfterMs", 1000) / 1000


class Swarm:
    """One agent's way to the core. Its token is renewed when the core does not know it any more."""

    def __init__(self):
        self.incarnation = str(uuid.uuid4())
        self.token = None
        self.activity = "ready"
        self.in_hand = threading.Lock()  # Held while a task is worked on.
        self.lock = threading.Lock()
        self.is_leaving = False

    def call(self, method, path, body=None, token=None, timeout=10):
        """One request. Raises Refused."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {token or self.token}", "content-type": "application/json"}
        request = urllib.request.Request(URL + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            try:
                problem = json.load(error)
            except ValueError:
                problem = {"detail": f"status {error.code}", "retryable": error.code >= 500}
            raise Refused(problem) from error
        except (OSError, ValueError) as error:
            raise Refused({"detail": str(error), "retryable": True}) from error

    def register(self):
        """Joins, or joins again: the same incarnation is the same process."""
        registration = {
            "name": NAME,
            "role": "worker",
            "version": "1.0.0",
            "incarnation": self.incarnation,
            "capabilities": CAPABILITIES,
            "labels": {"language": "python", "max-tasks": "1"},
            "healthUrl": os.environ.get("HEALTH_URL"),
        }
        self.token = self.call("POST", "/v1/agents", registration, token=JOIN_TOKEN)["token"]

    def insist(self, method, path, body=None, timeout=10, stopping=None):
        """A request that is repeated until it is answered: nothing that is sent here does harm when it comes twice."""
        pause = 0.5
        while True:
            token = self.token
            try:
                return self.call(method, path, body, timeout=timeout)
            except Refused as refused:
                if refused.code == "FENCED":
                    sys.exit(f"{NAME}: a newer process has taken over")
                if stopping is not None and stopping.is_set():
                    raise
                if refused.code in ("UNAUTHENTICATED", "NOT_FOUND"):
                    self.renew(token)
                elif not refused.retryable:
                    raise
                else:
                    time.sleep(max(pause, min(refused.retry_after, 30)))
                    pause = min(pause * 2, 10)

    def renew(self, refused_token):
        """Registers again, unless another thread has, or the agent is on its way out."""
        with self.lock:
            if self.token != refused_token or self.is_leaving:
                return
            try:
                self.register()
            except Refused as refused:
                if not refused.retryable:
                    sys.exit(f"{NAME}: {refused}")
                time.sleep(1)

    def beat(self):
        """Proves that the process lives. Gives the length of the lease in seconds."""
        body = {"incarnation": self.incarnation, "activity": self.activity}
        return self.call("POST", f"/v1/agents/{NAME}/heartbeat", body).get("leaseMs", 30_000) / 1000

    def claim(self):
        """What is assigned to this agent: at most one, after at most CLAIM_WAIT_MS."""
        claim = {
            "topics": [f"task.{NAME}.assigned"],
            "from": "earliest",
            "ackDeadlineMs": ACK_DEADLINE_MS,
            "max": 1,
            "waitMs": CLAIM_WAIT_MS,
        }
        return self.call("POST", f"/v1/groups/{NAME}/claim", claim, timeout=CLAIM_WAIT_MS / 1000 + 10)["deliveries"]

    def ack(self, delivery):
        self.insist("POST", f"/v1/groups/{NAME}/ack", {"deliveryIds": [delivery["deliveryId"]]})

    def say(self, task, kind, **data):
        """Answers a task. The id is UUIDv5 of what is said, so saying it again is no second answer."""
        attempt = {key: task[key] for key in ("planId", "taskId", "attempt")}
        name = f"{task['taskId']}/{task['attempt']}/{kind}"
        event = {
            "id": str(uuid.uuid5(uuid.UUID(task["planId"]), name)),
            "topic": f"task.{NAME}.{kind}",
            "data": {**attempt, **data},
            "correlationId": task.get("goalId", task["planId"]),
        }
        self.insist("POST", "/v1/events", event)


# --- The process ----------------------------------------------------------------------------------------------------


def work(swarm, task):
    """Does one task, and says what came of it."""
    deadline = datetime.fromisoformat(task["deadlineAt"].replace("Z", "+00:00"))
    if deadline <= datetime.now(timezone.utc):
        return  # It is with somebody else by now.
    swarm.say(task, "accepted")
    handler = HANDLERS.get(task["capability"])
    try:
        if handler is None:
            raise LookupError(f'{NAME} does not know how to "{task["capability"]}"')
        swarm.say(task, "completed", output=handler(task))
    except Refused as refused:
        swarm.say(task, "failed", error={"message": f"the output can not be sent: {refused}", "retryable": False})
    except Exception as error:  # pylint: disable=broad-except
        swarm.say(task, "failed", error={"message": str(error)[:1000], "retryable": True})


def keep_alive(swarm, stopping):
    """Beats every third of the lease, until the process stops."""
    pause = 0
    while not stopping.wait(pause):
        token = swarm.token
        try:
            pause = swarm.beat() / 3
        except Refused as refused:
            if refused.code == "FENCED":
                print(f"{NAME}: a newer process has taken over", flush=True)
                os._exit(1)
            if refused.code in ("UNAUTHENTICATED", "NOT_FOUND"):
                swarm.renew(token)
            pause = 1


def serve_health(swarm):
    """Answers GET /health for whoever asks whether the process is well."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            is_known = self.path == "/health"
            body = json.dumps({"status": "ok", "activity": swarm.activity}).encode() if is_known else b""
            self.send_response(200 if is_known else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((HEALTH_HOST, int(HEALTH_PORT)), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    swarm = Swarm()
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    while not stopping.is_set():
        try:
            swarm.register()
            break
        except Refused as refused:
            if not refused.retryable:
                sys.exit(f"{NAME}: {refused}")
            stopping.wait(1)
    if HEALTH_PORT is not None:
        serve_health(swarm)
    threading.Thread(target=keep_alive, args=(swarm, stopping), daemon=True).start()
    threading.Thread(target=take_tasks, args=(swarm, stopping), daemon=True).start()
    print(f"{NAME} has joined and waits for tasks", flush=True)
    stopping.wait()
    # Whoever watches sees that it drains; the task in hand is finished, as long as that takes no longer than this.
    swarm.activity = "draining"
    try:
        swarm.beat()
        swarm.in_hand.acquire(timeout=10)  # pylint: disable=consider-using-with
        with swarm.lock:
            swarm.is_leaving = True
        swarm.call("DELETE", f"/v1/agents/{NAME}")
    except Refused as refused:
        print(f"{NAME}: could not leave: {refused}", flush=True)


def take_tasks(swarm, stopping):
    """Claims, works and acknowledges, one task at a time."""
    while not stopping.is_set():
        token = swarm.token
        try:
            deliveries = swarm.claim()
        except Refused as refused:
            if refused.code in ("UNAUTHENTICATED", "NOT_FOUND"):
                swarm.renew(token)
            stopping.wait(min(refused.retry_after, 10))
            continue
        for delivery in deliveries:
            with swarm.in_hand:
                swarm.activity = "draining" if stopping.is_set() else "busy"
                work(swarm, delivery["event"]["data"])
                swarm.ack(delivery)
                swarm.activity = "draining" if stopping.is_set() else "ready"


if __name__ == "__main__":
    main()
