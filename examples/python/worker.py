"""A worker that takes the Architect's tasks, on Python's standard library alone (3.9 or later).

    SWARM_TOKEN=… AGENT_NAME=scribe python3 examples/python/worker.py

It registers over plain HTTP, proves with heartbeats that it lives, claims what is assigned to it, answers, and shows
/health. What it can do is in HANDLERS; everything it needs of the swarm is in the class Swarm. docs/workers.md has the
protocol and the variables of the environment.
"""

import contextlib
import http.client
import json
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

URL = os.environ.get("SWARM_URL", "http://127.0.0.1:7700")
NAME = os.environ.get("AGENT_NAME", "scribe")
HEALTH_PORT = os.environ.get("HEALTH_PORT")
HEALTH_HOST = os.environ.get("HEALTH_HOST", "127.0.0.1")

# How long an assignment is this process's own before it is delivered again, for how long that is extended while its handler
# runs, and how long a claim waits, in milliseconds.
ACK_DEADLINE_MS = 600_000
MAX_HANDLER_MS = 3_600_000
CLAIM_WAIT_MS = 20_000


# --- What it can do -------------------------------------------------------------------------------------------------


class TaskError(Exception):
    """What a handler raises when no other attempt can help. Any other exception leaves that open: it is tried again."""


def text_of(task):
    """What a task is about: the results of the tasks before it, or else its own input."""
    given = list(task["dependencies"].values()) or [task["title"] if task["input"] is None else task["input"]]

    def plain(value):
        if isinstance(value, dict):
            return " ".join(plain(part) for part in value.values())
        if isinstance(value, list):
            return " ".join(plain(part) for part in value)
        return "" if value is None else str(value)

    text = plain(given).strip()
    if not text:
        raise TaskError("the task has no text to work on")
    return text


def write(task):
    """A document out of what the tasks before it gave."""
    return {"title": task["title"], "document": f"# {task['title']}\n\n{text_of(task)}\n"}


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
        super().__init__(problem.get("detail") or problem.get("title") or "refused")
        self.code = problem.get("code", "UNAVAILABLE")
        self.retryable = problem.get("retryable", False)
        self.retry_after = problem.get("retryAfterMs", 0) / 1000
        self.details = problem.get("details") or {}


def die(reason):
    """Ends the process from whatever thread: somebody else has its name, or nobody lets it in."""
    print(f"{NAME}: {reason}", flush=True)
    os._exit(1)


class Swarm:
    """One agent's way to the core. It registers again when the core does not know its token any more."""

    def __init__(self):
        self.incarnation = str(uuid.uuid4())
        self.token = None
        self.group_id = None  # Of the group that it has claimed from.
        self.registered = False
        self.activity = "ready"
        self.note = None  # What it says of itself, for people and other agents to read.
        self.lock = threading.Lock()  # Held while it registers.
        self.left = threading.Event()  # Set when it does not want to be known any more.

    def request(self, method, path, body=None, token=None, timeout=10):
        """One request. Raises Refused."""
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        headers = {"authorization": f"Bearer {token or self.token}", "content-type": "application/json"}
        request = urllib.request.Request(URL + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            try:
                refused = Refused(json.load(error))
            except (OSError, ValueError, AttributeError, http.client.HTTPException):
                refused = Refused({"detail": f"status {error.code}", "retryable": error.code >= 500})
            if refused.code == "FENCED":
                die("a newer process has taken over")
            raise refused from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Refused({"detail": f"no answer: {error}", "retryable": True}) from error

    def call(self, method, path, body=None, timeout=10):
        """One request as the agent, which registers first where the core does not know it."""
        token = self.token
        try:
            return self.request(method, path, body, token, timeout)
        except Refused as refused:
            if refused.code != "UNAUTHENTICATED" or self.left.is_set():
                raise
        self.register(instead_of=token)
        return self.request(method, path, body, timeout=timeout)

    def insist(self, method, path, body):
        """A call that is repeated until it is answered: nothing that is sent here does harm when it comes twice."""
        pause = 0.5
        while True:
            try:
                return self.call(method, path, body)
            except Refused as refused:
                if not refused.retryable:
                    raise
                time.sleep(min(refused.retry_after, 30) + random.uniform(0, pause))
                pause = min(pause * 2, 10)

    def register(self, instead_of=None):
        """Joins, or joins again, unless another thread has: the same incarnation is the same process."""
        registration = {
            "name": NAME,
            "role": "worker",
            "version": "1.0.0",
            "incarnation": self.incarnation,
            "capabilities": CAPABILITIES,
            "labels": {"language": "python", "max-tasks": "1"},
            "healthUrl": os.environ.get("HEALTH_URL"),
        }
        with self.lock:
            if self.token != instead_of or self.left.is_set():
                return
            self.registered = False
            try:
                self.token = self.request("POST", "/v1/agents", registration, token=join_token())["token"]
            except Refused as refused:
                if not refused.retryable:
                    die(refused)
                raise
            self.registered = True

    def beat(self, timeout=10):
        """Proves that the process lives. Gives the length of the lease in seconds."""
        body = {"incarnation": self.incarnation, "activity": self.activity, "note": self.note}
        return self.call("POST", f"/v1/agents/{NAME}/heartbeat", body, timeout).get("leaseMs", 30_000) / 1000

    def claim(self):
        """What is assigned to this agent: at most one, after at most CLAIM_WAIT_MS. A group that was deleted is not made again."""
        claim = {
            "topics": [f"task.{NAME}.assigned"],
            "from": "earliest",
            "ackDeadlineMs": ACK_DEADLINE_MS,
            "max": 1,
            "waitMs": CLAIM_WAIT_MS,
        }
        if self.group_id is not None:
            claim["groupId"] = self.group_id
        claimed = self.call("POST", f"/v1/groups/{NAME}/claim", claim, timeout=CLAIM_WAIT_MS / 1000 + 10)
        self.group_id = claimed["groupId"]
        return claimed["deliveries"]

    def extend(self, delivery):
        """Keeps a delivery for another ACK_DEADLINE_MS. False when it is this process's no more."""
        body = {"deliveryIds": [delivery["deliveryId"]], "byMs": ACK_DEADLINE_MS}
        return self.call("POST", f"/v1/groups/{NAME}/extend", body)["extended"] > 0

    def ack(self, delivery):
        """Tells the group that it is done."""
        self.insist("POST", f"/v1/groups/{NAME}/ack", {"deliveryIds": [delivery["deliveryId"]]})

    def nack(self, delivery, reason):
        """Gives it back: the group delivers it again, or puts it aside after the fifth time."""
        body = {"deliveryIds": [delivery["deliveryId"]], "reason": storable(reason, 1000)}
        self.insist("POST", f"/v1/groups/{NAME}/nack", body)

    def read(self, **query):
        """One page of events."""
        return self.insist("GET", f"/v1/events?{urllib.parse.urlencode(query)}", None)

    def is_cancelled(self, delivery):
        """Whether the attempt was taken back since it was assigned, as the log has it: nobody may have listened then."""
        task, place = delivery["event"]["data"], {"after": delivery["position"]}
        while True:
            try:
                page = self.read(topics=f"task.{NAME}.cancelled", limit=500, **place)
            except Refused as refused:
                if refused.code == "COMPACTED" and place:
                    place = {}  # The log does not reach back so far: what it has kept is read.
                    continue
                if refused.code == "ACL_DENIED":
                    return False  # Who may not know of cancellations works all the same.
                raise
            for cancelled in (found["event"]["data"] for found in page["events"]):
                if all(cancelled.get(key) == task[key] for key in ("planId", "taskId", "attempt")):
                    return True
            if page.get("end", place.get("after") == page["next"]):
                return False
            place = {"after": page["next"]}

    def outputs(self, task):
        """The outputs of the tasks before it. Those that are given by reference are read from the log."""
        return {name: self.output(task, name, output) for name, output in task["dependencies"].items()}

    def output(self, task, name, output):
        """One of them. An object whose only key is "ref", with a text, is always a reference."""
        if not (isinstance(output, dict) and list(output) == ["ref"] and isinstance(output["ref"], str)):
            return output
        problem = f'the output of the task "{name}" cannot be read'
        try:
            events = self.read(topics="task.*.completed", at=output["ref"])["events"]
        except Refused as refused:
            if refused.code == "COMPACTED":
                raise TaskError(f"{problem}: {refused}") from refused
            raise RuntimeError(f"{problem}: {refused}") from refused
        data = events[0]["event"]["data"] if events else {}
        if (data.get("planId"), data.get("taskId")) != (task["planId"], name):
            raise TaskError(f"{problem}: the event at the given position is not its completion")
        return data.get("output")

    def say(self, assigned, kind, **data):
        """Answers an assignment. The id is UUIDv5 of what is said, so saying it again is no second answer."""
        task = assigned["data"]
        name = f"{task['taskId']}/{task['attempt']}/{kind}"
        event = {
            "id": str(uuid.uuid5(uuid.UUID(task["planId"]), name)),
            "topic": f"task.{NAME}.{kind}",
            "data": {**{key: task[key] for key in ("planId", "taskId", "attempt")}, **data},
            **caused_by(assigned),
        }
        self.insist("POST", "/v1/events", event)


def caused_by(event):
    """What an event says of the one that led to it: the same conversation and trace, and its id."""
    caused = {"correlationId": event.get("correlationId", event["id"]), "causationId": event["id"]}
    if "traceparent" in event:
        caused["traceparent"] = event["traceparent"]
    return caused


def join_token():
    """SWARM_TOKEN, or what is in the file SWARM_TOKEN_FILE; read each time, since a token may be replaced."""
    path = os.environ.get("SWARM_TOKEN_FILE")
    if not path:
        return os.environ.get("SWARM_TOKEN", "")
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def storable(text, length):
    """A text as the core takes it: without NUL and halves of characters, its length counted in units of UTF-16."""
    whole = text.replace("\0", "").encode("utf-16-le", "replace")
    return whole[: length * 2].decode("utf-16-le", "ignore")


def words_of(error):
    """What an exception says. One that says nothing, or fails to, is named by its kind."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # pylint: disable=broad-except
        return type(error).__name__


# --- The process ----------------------------------------------------------------------------------------------------


def work(swarm, delivery):
    """Does one task, and says what came of it."""
    assigned = delivery["event"]
    task = assigned["data"]
    swarm.note = str(task.get("title"))[:100]
    if task.get("incarnation") not in (None, swarm.incarnation):
        return  # It was for a process of this name that has ended: the Architect takes it back.
    deadline = datetime.fromisoformat(task["deadlineAt"].replace("Z", "+00:00"))
    if deadline <= datetime.now(timezone.utc):
        return  # It is with somebody else by now.
    if swarm.is_cancelled(delivery):
        return

    def fail(error, retryable):
        swarm.say(assigned, "failed", error={"message": storable(error, 4096), "retryable": retryable})

    handler = HANDLERS.get(task["capability"])
    if handler is None:
        return fail(f'{NAME} does not know how to "{task["capability"]}"', True)
    swarm.say(assigned, "accepted")
    try:
        output = handler({**task, "dependencies": swarm.outputs(task)})
    except Exception as error:  # pylint: disable=broad-except
        return fail(words_of(error), not isinstance(error, TaskError))
    try:
        swarm.say(assigned, "completed", output=output)
    except (Refused, TypeError, ValueError, RecursionError) as error:
        fail(f"the output cannot be sent: {error}", False)


@contextlib.contextmanager
def kept(swarm, delivery):
    """
    Keeps the delivery while the block runs, but not longer than MAX_HANDLER_MS: a thread extends it three times in each deadline.
    A process that dies extends nothing, and the task is delivered again.
    """
    done = threading.Event()

    def keep():
        until = time.monotonic() + MAX_HANDLER_MS / 1000
        while not done.wait(ACK_DEADLINE_MS / 3000) and time.monotonic() < until:
            try:
                if not swarm.extend(delivery):
                    return
            except Refused:
                pass  # The next time may be early enough.

    threading.Thread(target=keep, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def take_tasks(swarm, stopping, in_hand):
    """Claims, works and acknowledges, one task at a time. What comes when it stops is given back."""
    pause = 0.5
    said = None
    while not stopping.is_set():
        try:
            deliveries = swarm.claim()
            pause = 0.5
            said = None
        except Refused as refused:
            if stopping.is_set():
                return  # The core has let it go, or will not be asked again.
            if refused.code == "NOT_FOUND" and refused.details.get("deleted"):
                print(f"{NAME}: stops, since an operator has deleted its group", flush=True)
                return stopping.set()
            if str(refused) != said:  # A policy that denies it is said once.
                said = str(refused)
                print(f"{NAME}: could not claim: {said}", flush=True)
            stopping.wait(min(refused.retry_after, 30) + random.uniform(0, pause))
            pause = min(pause * 2, 10)
            continue
        for delivery in deliveries:
            with in_hand:
                try:
                    settle(swarm, delivery, stopping)
                except Refused as refused:
                    print(f"{NAME}: could not settle: {refused}", flush=True)


def settle(swarm, delivery, stopping):
    """Acknowledges the delivery when its task is answered, and gives it back when that can not be."""
    if stopping.is_set():
        return swarm.nack(delivery, "the worker stops")
    swarm.activity = "busy"
    try:
        with kept(swarm, delivery):
            work(swarm, delivery)
    except Exception as error:  # pylint: disable=broad-except
        print(f"{NAME}: could not answer: {error!r}", flush=True)
        return swarm.nack(delivery, repr(error))
    finally:
        swarm.activity = "draining" if stopping.is_set() else "ready"
        swarm.note = None
    swarm.ack(delivery)


def keep_alive(swarm):
    """Beats every third of the lease, until the agent has left."""
    pause = 0
    while not swarm.left.wait(pause):
        token = swarm.token
        try:
            pause = swarm.beat() / 3
        except Refused as refused:
            pause = max(1, min(refused.retry_after, 5))
            if refused.code == "NOT_FOUND":
                try:
                    swarm.register(instead_of=token)
                except Refused:
                    pass  # The next beat asks for it again.


def serve_health(swarm):
    """Answers GET /health: with 200 while the core knows the agent, as far as it has heard, and otherwise with 503."""

    class Health(BaseHTTPRequestHandler):
        """One request."""

        def do_GET(self):  # pylint: disable=invalid-name
            """GET"""
            health = {
                "status": "ok" if swarm.registered else "unregistered",
                "activity": swarm.activity,
                "registered": swarm.registered,
            }
            is_known = self.path.split("?")[0] == "/health"
            body = json.dumps(health).encode() if is_known else b""
            self.send_response(404 if not is_known else 200 if swarm.registered else 503)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):  # pylint: disable=arguments-differ
            """Nothing is logged."""

    server = ThreadingHTTPServer((HEALTH_HOST, int(HEALTH_PORT)), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    """Joins, works until SIGTERM or SIGINT, finishes what it has in hand, and leaves."""
    swarm, stopping, in_hand = Swarm(), threading.Event(), threading.Lock()
    # A thread that fails must not leave a process behind that only looks alive.
    threading.excepthook = lambda args: die(f"unexpected: {args.exc_value!r}")
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    if HEALTH_PORT:
        serve_health(swarm)
    while not (swarm.registered or stopping.is_set()):
        try:
            swarm.register()
        except Refused as refused:
            print(f"{NAME}: could not join yet: {refused}", flush=True)
            stopping.wait(max(1, min(refused.retry_after, 30)))
    if not swarm.registered:
        return
    threading.Thread(target=keep_alive, args=(swarm,), daemon=True).start()
    threading.Thread(target=take_tasks, args=(swarm, stopping, in_hand), daemon=True).start()
    print(f"{NAME} has joined and waits for tasks", flush=True)
    stopping.wait()
    # Whoever watches sees that it drains; the task in hand is finished, as long as that takes no longer than this.
    swarm.activity = "draining"
    try:
        swarm.beat(timeout=2)
    except Refused as refused:
        print(f"{NAME}: could not report that it is draining: {refused}", flush=True)
    if in_hand.acquire(timeout=10):  # pylint: disable=consider-using-with
        in_hand.release()
    with swarm.lock:
        swarm.left.set()
    try:
        swarm.request("DELETE", f"/v1/agents/{NAME}", timeout=5)
    except Refused as refused:
        print(f"{NAME}: could not leave: {refused}", flush=True)


if __name__ == "__main__":
    main()
